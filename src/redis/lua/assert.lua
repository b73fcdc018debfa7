#!lua flags=allow-oom
-- Puts connections of a node back that may have been lost; those that are there stay as they are.
-- INCLUDE: presence
-- KEYS: 1 root
-- ARGV: node, then uid and connection each
-- REPLY: 1
local uids = {}
for i = 2, #ARGV, 2 do
  redis.call('HSETNX', K_pres(ARGV[i]), ARGV[i + 1], ARGV[1])
  uids[#uids + 1] = ARGV[i]
end
appear(uids, ARGV[1])
return 1
