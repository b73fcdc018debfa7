#!lua flags=allow-oom
-- A node brings bans and blocks that it set or lifted: those stated after all that this Redis had when it took over.
-- KEYS: 1 root
-- ARGV: life of it in ms; per sanction: when it was stated, the sanction as JSON
-- REPLY: how many of them had been lost
local since = tonumber(redis.call('GET', K_since()) or 0)
local lost = 0
for i = 2, #ARGV, 2 do
  if tonumber(ARGV[i]) > since then
    redis.call('ZADD', K_sanctions(), ARGV[i], ARGV[i + 1])
    lost = lost + 1
  end
end
redis.call('PEXPIRE', K_sanctions(), ARGV[1])
return lost
