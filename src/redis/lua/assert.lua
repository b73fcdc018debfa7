#!lua flags=allow-oom
-- Puts connections of a node back that may have been lost; those that are there stay as they are.
-- INCLUDE: presence
-- KEYS: 1 root
-- ARGV: node, then uid and connection each
-- REPLY: 1
for i = 2, #ARGV, 2 do
  redis.call('HSETNX', K_pres(ARGV[i]), ARGV[i + 1], ARGV[1])
  appear(ARGV[i], ARGV[1])
end
return 1
