#!lua flags=allow-oom
-- Takes a conversation's log away.
-- INCLUDE: head, now, grave
-- KEYS: 1 root
-- ARGV: conversation
-- REPLY: 1
local conv = ARGV[1]
bury(conv, math.max(us, head_of(redis.call('GET', K_head(conv)))[S]))
redis.call('DEL', K_log(conv), K_head(conv), K_ops(conv), K_edits(conv))
return 1
