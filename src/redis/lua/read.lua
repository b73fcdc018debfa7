#!lua flags=no-writes,allow-oom
-- Entries above a position.
-- INCLUDE: head, position, stretch, device
-- KEYS: 1 root
-- ARGV: conversation, limit, bytes, the position or nothing, and then the uid and device whose cursor it is
-- REPLY: head, origin, last seq gone, why (0 retention, 1 expired), the position, items
local conv, limit, bytes, after = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local log = K_log(conv)
local h = head_of(redis.call('GET', K_head(conv)))
if not after then
  local got = redis.call('HMGET', K_cur(ARGV[5], ARGV[6]), conv, 'born')
  after = cursor_of(ARGV[5], conv, h, got[1], got[2])
end
local len = redis.call('LLEN', log)
local gone, why = h[TR], h[TW]
if len == 0 then gone, why = h[S], 1 end
local from = upto(log, h, len, after)
return { h[S], h[O], gone, why, after, stretch(log, from, math.min(len, from + limit) - 1, bytes) }
