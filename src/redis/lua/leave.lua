#!lua flags=allow-oom
-- A connection is gone. Its device was last seen now.
-- INCLUDE: presence, now
-- KEYS: 1 root
-- ARGV: uid, connection, life of a device and of a last-seen time in ms
-- REPLY: 1 if the connection was there
local uid, pres = ARGV[1], K_pres(ARGV[1])
local value = redis.call('HGET', pres, ARGV[2])
if not value then return 0 end
redis.call('HDEL', pres, ARGV[2])
local node, device = string.match(value, '^(%S+) ?(.*)$')
if device ~= '' then redis.call('ZADD', K_devs(uid), 'XX', now, device) end
disappear(uid, node, now, ARGV[3])
return 1
