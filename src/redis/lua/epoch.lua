#!lua flags=allow-oom
-- Tells whether this is still the Redis process that it was: another one begins new runs in all logs, for it may not
-- have the newest entries.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: run_id of the server
-- REPLY: the epoch
local known = redis.call('GET', K_epoch())
local id, epoch = string.match(known or '', '^(%S+) (%d+)$')
if id == ARGV[1] then return tonumber(epoch) end
local next = math.max(us, (tonumber(epoch) or 0) + 1)
redis.call('SET', K_epoch(), ARGV[1] .. ' ' .. string.format('%.0f', next))
return next
