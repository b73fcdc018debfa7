#!lua flags=allow-oom
-- Remembers what the answer of a poll held, the newest so many of a device.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: uid, device, what it held, how many to keep, life in ms
-- REPLY: the poll's number
local polls = K_polls(ARGV[1], ARGV[2])
-- Begins at the time, so that a number is not given again when all of them were forgotten.
local n = tonumber(redis.call('HGET', polls, 'last') or now) + 1
local name = string.format('%.0f', n)
redis.call('HSET', polls, 'last', name, name, ARGV[3])
redis.call('HDEL', polls, string.format('%.0f', n - ARGV[4]))
redis.call('PEXPIRE', polls, ARGV[5])
return n
