#!lua flags=no-writes,allow-oom
-- Who of some users blocks one.
-- KEYS: 1 root
-- ARGV: the one, the users
-- REPLY: uids
local blockers = {}
for i = 2, #ARGV do
  if redis.call('SISMEMBER', K_blocks(ARGV[i]), ARGV[1]) == 1 then blockers[#blockers + 1] = ARGV[i] end
end
return blockers
