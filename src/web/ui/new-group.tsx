import { useState } from 'preact/hooks';
import { parseRoom, parseUid, roomConv } from '../../protocol/index.js';
import { Refusal } from '../model/api.js';
import type { Messenger } from '../model/messenger.js';
import { problemInWords, words } from '../words/index.js';
import { Dialog } from './dialog.js';

type Props = { readonly m: Messenger; readonly close: () => void; readonly open: (conv: string) => void };

export function NewGroup({ m, close, open }: Props) {
  const t = words.value;
  const [problem, setProblem] = useState('');
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(form.get('name')).trim();
    const members = String(form.get('members'))
      .split(/[\s,，、;]+/)
      .filter((uid) => uid !== '');
    const stranger = members.find((uid) => parseUid(uid) === undefined);
    if (stranger !== undefined) return setProblem(`${stranger}: ${t.badName}`);
    try {
      open(roomConv(await create(m, name, form.get('private') !== null, members)));
      close();
    } catch (error) {
      setProblem(problemInWords(error));
    }
  }
  return (
    <Dialog title={t.newGroup} close={close}>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          {t.groupName}
          <input name="name" required maxLength={60} autofocus autocomplete="off" />
        </label>
        <label>
          {t.groupMembers}
          <input name="members" autocomplete="off" />
        </label>
        <label class="check">
          <input type="checkbox" name="private" /> {t.privateGroup}
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary">
          {t.create}
        </button>
      </form>
    </Dialog>
  );
}

/** A group's id is its name in the form that names have; where that is taken, with a number. */
async function create(m: Messenger, name: string, isPrivate: boolean, members: readonly string[]) {
  const plain = name.replace(/[^\p{L}\p{Nd}_.@+-]+/gu, '-').slice(0, 48);
  for (let attempt = 0; ; attempt++) {
    const room = parseRoom(attempt === 0 ? plain : `${plain}-${Math.floor(Math.random() * 9_000) + 1_000}`);
    if (room === undefined) throw new Error(words.value.badName);
    try {
      await m.groups.create({ room, name, private: isPrivate, members });
      return room;
    } catch (error) {
      if (attempt > 3 || !(error instanceof Refusal) || error.code !== 'conflict') throw error;
    }
  }
}
