#!lua flags=allow-oom
-- Begins or ends to block somebody.
-- KEYS: 1 root
-- ARGV: who blocks, whom, 1 to begin or 0 to end, how many one may block
-- REPLY: 0 if that would be too many, else 1
local blocks = K_blocks(ARGV[1])
if ARGV[3] == '0' then
  redis.call('SREM', blocks, ARGV[2])
  return 1
end
local full = redis.call('SCARD', blocks) >= tonumber(ARGV[4])
if full and redis.call('SISMEMBER', blocks, ARGV[2]) == 0 then return 0 end
redis.call('SADD', blocks, ARGV[2])
return 1
