-- What a device has acknowledged. Its hash holds, beside conversations:
--   born     when it was first seen, ms: what it has no cursor for was acknowledged by then if it began before
--   mark     every dm with something pending has its last entry at or after this time
--   told     when it last was told the receipts that had moved, µs
--   renewed  when the hash's expiry was last set, ms
-- Box scores lag an entry's ts by up to a second, and a new primary's clock may be behind the old one's.
local LAG = 31000

-- Where a device begins in a dm for which it has no cursor.
local function implied(conv, h, born)
  if h[S] == 0 or h[O] >= born * 1000 then return 0 end
  if h[T] < born then return h[S] end
  local log = K_log(conv)
  local low, high = 0, redis.call('LLEN', log)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local at = tonumber(string.match(redis.call('LINDEX', log, middle), '"ts":(%d+)'))
    if at < born then low = middle + 1 else high = middle end
  end
  -- All that is older is gone, and perhaps newer entries too: then it must be told so.
  if low == 0 then return h[O] - 1 end
  return seq_at(log, low - 1)
end

-- Of one conversation, from its head and the fields of the device's hash.
local function cursor_of(uid, conv, h, explicit, born)
  if explicit then
    explicit = tonumber(explicit)
  elseif string.sub(conv, 1, 2) == 'dm' then
    if born then return implied(conv, h, tonumber(born)) end
    return uid == sides(conv) and h[FA] or h[FB]
  end
  if not explicit and not born then explicit = tonumber(redis.call('HGET', K_floor(uid), conv)) end
  local room = string.match(conv, '^room:(.+)$')
  if not room then return explicit or h[S] end
  return math.max(explicit or 0, tonumber(redis.call('HGET', K_rooms(uid), room) or 0))
end

-- Longer than its life, for it is renewed only now and then. Positions in rooms live as long as the user is in one;
-- roomless: is known to be in none; unread: has no read positions.
local function keep(uid, device, cur, life, roomless, unread)
  local ms = string.format('%.0f', life + math.ceil(life / 24))
  redis.call('PEXPIRE', cur, ms)
  redis.call('PEXPIRE', K_devs(uid), ms)
  local is_in_rooms = not roomless and redis.call('EXISTS', K_rooms(uid)) == 1
  for _, key in ipairs(unread and { K_floor(uid) } or { K_read(uid), K_floor(uid) }) do
    if is_in_rooms then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, ms) end
  end
end

local function renew(uid, device, cur, now, life)
  redis.call('HSET', cur, 'renewed', now)
  keep(uid, device, cur, life)
end
