#!lua flags=no-writes,allow-oom
-- Entries above positions.
-- INCLUDE: head, position, stretch, device
-- KEYS: 1 root
-- ARGV: bytes of all readings but the first together; per reading: conversation, limit, bytes, and the position, or
--       nothing, and then the uid and device whose cursor it is
-- REPLY: per reading why there is nothing, or: head, origin, last seq gone, why (0 retention, 1 expired), the position,
--        items, a newline between
local reply, left = {}, tonumber(ARGV[1])
local function read(conv, limit, bytes, after, uid, device)
  local log = K_log(conv)
  local h = head_of(redis.call('GET', K_head(conv)))
  if not after then
    local got = redis.call('HMGET', K_cur(uid, device), conv, 'born')
    after = cursor_of(uid, conv, h, got[1], got[2])
  end
  local len = redis.call('LLEN', log)
  local gone, why = h[TR], h[TW]
  if len == 0 then gone, why = h[S], 1 end
  local from = upto(log, h, len, after)
  -- In one piece: taken apart by the node, twenty items cost a tenth of what they cost as replies of their own.
  local items = table.concat(stretch(log, from, math.min(len, from + limit) - 1, bytes), '\n')
  left = left - #items
  return { h[S], h[O], gone, why, after, items }
end

for i = 2, #ARGV, 6 do
  local limit, bytes, after = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  if i > 2 then bytes = math.min(bytes, left) end
  -- One broken key must not fail its neighbours.
  local whole, answer = pcall(read, ARGV[i], limit, bytes, after, ARGV[i + 4], ARGV[i + 5])
  reply[#reply + 1] = not whole and type(answer) == 'table' and answer.err or answer
end
return reply
