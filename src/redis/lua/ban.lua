#!lua flags=allow-oom
-- Begins or ends a ban, and says that the list is another one now.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: the ban, 1 to begin or 0 to end, how many there may be
-- REPLY: 0 if that would be too many, else 1
local bans, ban = K_bans(), ARGV[1]
local known = redis.call('HEXISTS', bans, ban) == 1
if known == (ARGV[2] == '1') then return 1 end
if known then
  redis.call('HDEL', bans, ban)
else
  -- One field is the revision.
  if redis.call('HLEN', bans) > tonumber(ARGV[3]) then return 0 end
  redis.call('HSET', bans, ban, now)
end
local last = tonumber(redis.call('HGET', bans, 'revision') or 0)
redis.call('HSET', bans, 'revision', string.format('%.0f', math.max(us, last + 1)))
return 1
