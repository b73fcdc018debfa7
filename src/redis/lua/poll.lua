#!lua flags=allow-oom
-- Remembers what the answer of a poll held, the newest so many of a device.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: uid, device, what it held, how many to keep, life in ms
-- REPLY: the poll's number
local polls = K_polls(ARGV[1], ARGV[2])
-- The time, so that no number is given again when polls were forgotten: all of them by age, the newest by a failover.
-- A cursor that names a poll must never acknowledge what another one held.
local n = math.max(us, tonumber(redis.call('HGET', polls, 'last') or 0) + 1)
local name = string.format('%.0f', n)
redis.call('HSET', polls, 'last', name, name, ARGV[3])
if redis.call('HLEN', polls) > ARGV[4] + 1 then
  local oldest = n
  for _, field in ipairs(redis.call('HKEYS', polls)) do oldest = math.min(oldest, tonumber(field) or n) end
  redis.call('HDEL', polls, string.format('%.0f', oldest))
end
redis.call('PEXPIRE', polls, ARGV[5])
return n
