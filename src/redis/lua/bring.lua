#!lua flags=allow-oom
-- A node brings what it kept of logs that lost it.
-- KEYS: 1 root
-- ARGV: life of it in ms; per entry: conversation, seq, the entry as src/redis/ring.ts has it, as JSON
-- REPLY: 1
for i = 2, #ARGV, 3 do
  local key = K_kept(ARGV[i])
  redis.call('ZADD', key, ARGV[i + 1], ARGV[i + 2])
  redis.call('PEXPIRE', key, ARGV[1])
  redis.call('SADD', K_returning(), ARGV[i])
end
return 1
