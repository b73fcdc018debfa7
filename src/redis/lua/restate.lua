#!lua flags=allow-oom
-- Replaces items of a log, if each is still as it was read.
-- INCLUDE: head, position, replace
-- KEYS: 1 root
-- ARGV: conversation; per item: seq, as it was, as it becomes
-- REPLY: 1, or 0 if one of them has changed
local log = K_log(ARGV[1])
local places = places_of(log, head_of(redis.call('GET', K_head(ARGV[1]))), 2)
if not places then return 0 end
put(log, places, 2, 2)
return 1
