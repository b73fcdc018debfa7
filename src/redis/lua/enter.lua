#!lua flags=allow-oom
-- A connection of a device arrives.
-- INCLUDE: head, position, device, arrive, presence, now
-- KEYS: 1 root
-- ARGV: uid, device, connection, node, most devices, their life in ms
-- REPLY: ts; pending: conv, cursor, head each; feeds: likewise; receipts: conv, uid, delivered, read each; blocked uids
local uid, device = ARGV[1], ARGV[2]
redis.call('HSET', K_pres(uid), ARGV[3], ARGV[4] .. ' ' .. device)
appear(uid, ARGV[4])
local cur, born, mark, seen = admit(uid, device, now, tonumber(ARGV[5]), tonumber(ARGV[6]))
local pending = settle(uid, cur, born, mark, now)

local receipts = {}
local function receipt(conv, whose, delivered, read)
  receipts[#receipts + 1] = conv
  receipts[#receipts + 1] = whose
  receipts[#receipts + 1] = delivered
  receipts[#receipts + 1] = read
end
local function moved(member)
  local own, conv = string.sub(member, 1, 1) == 'o', string.sub(member, 2)
  local a, b = sides(conv)
  if not a then
    local delivered = tonumber(redis.call('HGET', K_floor(uid), conv) or 0)
    return receipt(conv, uid, delivered, tonumber(redis.call('HGET', K_read(uid), conv) or 0))
  end
  local h = head_of(redis.call('GET', K_head(conv)))
  if h[S] == 0 then return end
  local whose, delivered, read = b, h[FB], h[RB]
  if (uid == a) == own then whose, delivered, read = a, h[FA], h[RA] end
  local hidden = not own and redis.call('GET', K_hidden(conv, whose))
  if hidden then delivered, read = string.match(hidden, '^(%d+) (%d+)$') end
  receipt(conv, whose, tonumber(delivered), tonumber(read))
end
local rcpt = K_rcpt(uid)
redis.call('ZREMRANGEBYSCORE', rcpt, '-inf', us - ARGV[6] * 1000)
-- Since it came the last time, not since it went: a receipt that was written to a dying socket must come again.
local told = redis.call('HGET', cur, 'told')
redis.call('HSET', cur, 'told', string.format('%.0f', us))
if seen and told then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', rcpt, '(' .. told, '+inf')) do moved(member) end
end
return { now, pending, feeds_of(uid, cur), receipts, redis.call('SMEMBERS', K_blocks(uid)) }
