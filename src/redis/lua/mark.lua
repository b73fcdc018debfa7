#!lua flags=allow-oom
-- Moves cursors and read positions, never backwards, and hints the receipts that moved.
-- INCLUDE: head, position, device, hint, now
-- KEYS: 1 root
-- ARGV: node, life of a device in ms, 1 if they are put back after a failover (else 0); per mark: uid, conversation,
--       device or nothing, delivered or nothing, read or nothing, silent (1 or 0), announce (1 or 0)
-- REPLY: payloads to other nodes, how many found nobody; per mark: an error code, or 0, or 1, delivered, read
local self, life, is_again = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local format = string.format
-- Redis formats a number anew for each command that it is given to.
local stamp, oldest, twice = format('%.0f', us), format('%.0f', us - life * 1000), format('%.0f', 2 * life)
local heads, touched, wanted, shown = {}, {}, {}, {}
for i = 4, #ARGV, 7 do wanted[#wanted + 1] = K_head(ARGV[i + 1]) end
for k, packed_head in ipairs(redis.call('MGET', unpack(wanted))) do
  local conv = ARGV[4 + (k - 1) * 7 + 1]
  heads[conv] = heads[conv] or head_of(packed_head)
end

-- Messages of one side in a stretch of the log, and their bytes.
local function weigh(log, from, to, greater)
  local count, bytes = 0, 0
  while from <= to do
    for _, item in ipairs(redis.call('LRANGE', log, from, math.min(to, from + 255))) do
      local mark = string.byte(item) - 48
      if mark % 4 < 2 and (mark % 2 == 1) == greater then count, bytes = count + 1, bytes + #item end
    end
    from = from + 256
  end
  return count, bytes
end

-- A side's floor moves: what the other side wrote up to there is pending no more. The shorter stretch is weighed.
local function lower_pending(conv, h, P, Y, before, after, greater)
  if h[P] == 0 then return end
  if after >= h[S] then
    h[P], h[Y] = 0, 0
    return
  end
  local log = K_log(conv)
  local len = redis.call('LLEN', log)
  local from, to = upto(log, h, len, before), upto(log, h, len, after)
  if len - to <= to - from then
    h[P], h[Y] = weigh(log, to, len - 1, greater)
    return
  end
  local count, bytes = weigh(log, from, to - 1, greater)
  h[P], h[Y] = math.max(0, h[P] - count), math.max(0, h[Y] - bytes)
end

-- For each conversation that a device's hash gains, three of those in it are looked at: of which nothing is left, those
-- go. So never much more than a third of it is of no use.
local function thin(cur)
  for _, conv in ipairs(redis.call('HRANDFIELD', cur, 3)) do
    local is_conv = string.find(conv, ':', 1, true)
    if is_conv and not heads[conv] and redis.call('EXISTS', K_head(conv)) == 0 then redis.call('HDEL', cur, conv) end
  end
end

-- Moves the device's cursor.
local function deliver(uid, conv, h, device, delivered)
  local cur = K_cur(uid, device)
  local got = redis.call('HMGET', cur, conv, 'born', 'renewed')
  local old = cursor_of(uid, conv, h, got[1], got[2])
  if got[2] and now - tonumber(got[3] or 0) > life / 24 then renew(uid, device, cur, now, life) end
  if delivered <= old and got[1] then return end
  local is_new = redis.call('HSET', cur, conv, math.max(old, delivered)) == 1
  if not got[2] then redis.call('PEXPIRE', cur, life) end
  if is_new then thin(cur) end
end

local function note(uid, member)
  local rcpt = K_rcpt(uid)
  if redis.call('ZADD', rcpt, stamp, member) == 0 then return end
  redis.call('PEXPIRE', rcpt, twice)
  redis.call('ZREMRANGEBYSCORE', rcpt, '-inf', oldest)
end

-- Keeps what the other side last heard of.
local function hide(uid, conv, h, a)
  local F, R = FB, RB
  if uid == a then F, R = FA, RA end
  local told = format('%.0f', h[F]) .. ' ' .. format('%.0f', h[R])
  local hidden = K_hidden(conv, uid)
  if shown[hidden] then redis.call('DEL', hidden) end
  shown[hidden] = nil
  redis.call('SET', hidden, told, 'NX', 'PX', twice)
end

-- Moves a user's positions; returns whether one moved, and both.
local function move_direct(uid, conv, h, a, b, delivered, read)
  local F, R, P, Y = FB, RB, PB, YB
  if uid == a then F, R, P, Y = FA, RA, PA, YA end
  local moved = false
  if delivered and delivered > h[F] then
    lower_pending(conv, h, P, Y, h[F], delivered, uid == a and a ~= b)
    h[F], moved = delivered, true
  end
  if read and read > h[R] then h[R], moved = read, true end
  touched[conv] = touched[conv] or moved
  return moved, h[F], h[R]
end

local function put_position(key, uid, conv, seq)
  local is_new = redis.call('HSET', key, conv, seq) == 1
  if is_new and redis.call('EXISTS', K_rooms(uid)) == 0 then redis.call('PEXPIRE', key, 2 * life, 'NX') end
end

local function move_feed(uid, conv, delivered, read)
  local floor = tonumber(redis.call('HGET', K_floor(uid), conv) or 0)
  local at = tonumber(redis.call('HGET', K_read(uid), conv) or 0)
  local moved = false
  if delivered and delivered > floor then
    put_position(K_floor(uid), uid, conv, delivered)
    floor, moved = delivered, true
  end
  if read and read > at then
    put_position(K_read(uid), uid, conv, read)
    at, moved = read, true
  end
  return moved, floor, at
end

local reply, hints = { 0, 0 }, {}
local function answer(i)
  local uid, conv, device = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local delivered, read = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  -- Nobody is remembered by it who was erased meanwhile.
  if is_again and redis.call('EXISTS', K_devs(uid)) == 0 then return 0 end
  local h = heads[conv]
  local room = string.match(conv, '^room:(.+)$')
  if room and redis.call('HEXISTS', K_rooms(uid), room) == 0 then return 'not_member' end
  if (delivered or 0) > h[S] or (read or 0) > h[S] then return 'bad_request' end
  if device ~= '' and delivered then deliver(uid, conv, h, device, delivered) end
  local a, b = sides(conv)
  local peer = a and a ~= b and (uid == a and b or a)
  local silent = ARGV[i + 5] == '1'
  local moved, floor, at
  if a then
    if silent and peer then hide(uid, conv, h, a) end
    moved, floor, at = move_direct(uid, conv, h, a, b, delivered, read)
  else
    moved, floor, at = move_feed(uid, conv, delivered, read)
  end
  if not moved and ARGV[i + 6] ~= '1' then return 0 end
  note(uid, 'o' .. conv)
  hints[#hints + 1] = { uid, conv, floor, at, uid }
  if peer and not silent then
    shown[K_hidden(conv, uid)] = true
    note(peer, 'p' .. conv)
    hints[#hints + 1] = { peer, conv, floor, at, uid }
  end
  return 1, floor, at
end

for i = 4, #ARGV, 7 do
  -- One broken key must not fail its neighbours.
  local whole, done, floor, at = pcall(answer, i)
  reply[#reply + 1] = whole and done or 'internal'
  if done == 1 then
    reply[#reply + 1] = floor
    reply[#reply + 1] = at
  end
end
for conv in pairs(touched) do
  if touched[conv] then redis.call('SET', K_head(conv), packed(heads[conv]), 'KEEPTTL') end
end
local hidden = {}
for key in pairs(shown) do hidden[#hidden + 1] = key end
if #hidden > 0 then redis.call('DEL', unpack(hidden)) end
if #hints > 0 then
  local at = {}
  for i, hint in ipairs(hints) do at[i] = K_at(hint[1]) end
  at = redis.call('MGET', unpack(at))
  for i, hint in ipairs(hints) do
    local frame = '{"type":"receipt","conv":"' .. hint[2] .. '","uid":"' .. hint[5] .. '","delivered":'
      .. format('%.0f', hint[3]) .. ',"read":' .. format('%.0f', hint[4]) .. '}'
    tell_user(at[i], '>' .. hint[1] .. '\t' .. frame, self)
  end
  reply[1], reply[2] = forward(self)
end
return reply
