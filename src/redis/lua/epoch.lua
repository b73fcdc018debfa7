#!lua flags=allow-oom
-- Tells whether this is still the Redis process that it was. Another one may not have the newest entries: it begins new
-- runs in all logs, and nobody stores anything until the nodes have brought what they kept, or have had the time.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: run_id of the server, how long to wait for the nodes in ms
-- REPLY: 1 if it is another one
local known = redis.call('GET', K_epoch())
local id, epoch = string.match(known or '', '^(%S+) (%d+)$')
if id == ARGV[1] then return 0 end
local next = math.max(us, (tonumber(epoch) or 0) + 1)
redis.call('SET', K_epoch(), ARGV[1] .. ' ' .. string.format('%.0f', next))
redis.call('DEL', K_brought())
redis.call('SET', K_hold(), 1, 'PX', ARGV[2])
return 1
