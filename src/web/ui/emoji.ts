/** A handful of emoji, in rows as people look for them. Loaded when somebody opens the picker. */
export const EMOJI: readonly (readonly string[])[] = [
  '😀 😄 😁 😆 😅 🤣 😂 🙂 😉 😊 😇 🥰 😍 😘 😋 😜 🤪 🤗 🤔 🤐 😐 😏 😒 🙄 😬 😌 😴 😷 🤒 🤧 🥵 🥶 🤯 🥳 😎 🤓 😕 😟 😮 😳 🥺 😢 😭 😱 😞 😓 😩 😤 😡 🤬 💀 💩 🤡 👻 👽 🤖',
  '👍 👎 👌 ✌️ 🤞 🤘 👈 👉 👆 👇 ☝️ ✋ 👋 👏 🙌 🙏 🤝 💪 ✍️ 🙋 🤷 🤦 🙇 👀 🧠',
  '❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💯 💥 💫 💤 🔥 ✨ ⭐ 🌟 🎉 🎊 🎁 🎂 🏆 🥇',
  '🐶 🐱 🐭 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐷 🐸 🐵 🐔 🐧 🐢 🐙 🦋 🐝 🌸 🌹 🌻 🌲 🍀 🍁',
  '🍎 🍊 🍋 🍉 🍓 🍑 🥑 🥕 🌽 🍞 🧀 🍳 🍔 🍟 🍕 🍜 🍚 🍣 🥟 🍦 🍩 🍪 🍫 ☕ 🍵 🍺 🍷 🥢',
  '⚽ 🏀 🎾 🎮 🎲 🎵 🎸 🎬 📷 📱 💻 ⌨️ 🔋 💡 📚 ✏️ 📎 📌 🔑 🔒 ⏰ 💰 🚗 🚲 🚄 ✈️ 🚀 🏠 🏖️ 🌍 ☀️ 🌙 ☔ ⛄ ✅ ❌ ❓ ❗',
].map((row) => row.split(' '));
