#!lua flags=allow-oom
-- Connections of devices arrive.
-- INCLUDE: head, position, now, device, arrive, presence
-- KEYS: 1 root
-- ARGV: node, most devices, their life in ms; the connections, a line each, with tabs between: uid, device, connection
-- REPLY: ts, last seq of all; per connection why it could not be let in, or its cursor in all if there is no more to
--        tell, or: pending: conv, cursor, head each; feeds: likewise; receipts: conv, uid, delivered, read each;
--        blocked uids; conversations looked at
local node, most, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function receipt_of(uid, member)
  local own, conv = string.sub(member, 1, 1) == 'o', string.sub(member, 2)
  local a, b = sides(conv)
  if not a then
    local delivered = tonumber(redis.call('HGET', K_floor(uid), conv) or 0)
    return conv, uid, delivered, tonumber(redis.call('HGET', K_read(uid), conv) or 0)
  end
  local h = head_of(redis.call('GET', K_head(conv)))
  if h[S] == 0 then return end
  local whose, delivered, read = b, h[FB], h[RB]
  if (uid == a) == own then whose, delivered, read = a, h[FA], h[RA] end
  local hidden = not own and redis.call('GET', K_hidden(conv, whose))
  if hidden then delivered, read = string.match(hidden, '^(%d+) (%d+)$') end
  return conv, whose, tonumber(delivered), tonumber(read)
end

-- Since it came the last time, not since it went: a receipt that was written to a dying socket must come again.
local function receipts_of(uid, at)
  local rcpt, flat = K_rcpt(uid), {}
  redis.call('ZREMRANGEBYSCORE', rcpt, '-inf', us - life * 1000)
  redis.call('HSET', at.cur, 'told', us_text)
  if at.is_new or not at.told then return flat end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', rcpt, '(' .. at.told, '+inf')) do
    local conv, whose, delivered, read = receipt_of(uid, member)
    if conv then
      local n = #flat
      flat[n + 1], flat[n + 2], flat[n + 3], flat[n + 4] = conv, whose, delivered, read
    end
  end
  return flat
end

local came = {}
local function enter(uid, device, conn)
  looked = 0
  local at = admit(uid, device, now, most, life)
  local arrival = at.all or 0
  if at.holds then
    arrival = { settle(uid, at, now), feeds_of(uid, at), receipts_of(uid, at), redis.call('SMEMBERS', K_blocks(uid)) }
    arrival[5] = looked
  end
  redis.call('HSET', K_pres(uid), conn, node .. ' ' .. device)
  came[#came + 1] = uid
  return arrival
end

local reply = { now, last_of_all() }
for uid, device, conn in string.gmatch(ARGV[4], '([^\t]+)\t([^\t]+)\t([^\n]+)\n') do
  -- One broken key must not keep others out.
  local _, answer = pcall(enter, uid, device, conn)
  reply[#reply + 1] = type(answer) == 'table' and answer.err or answer
end
appear(came, node)
return reply
