#!lua flags=no-writes,allow-oom
-- The last seq of each log, 0 where there is none.
-- INCLUDE: head
-- KEYS: 1 root
-- ARGV: conversations, at least one
-- REPLY: seqs
local keys = {}
for i, conv in ipairs(ARGV) do keys[i] = K_head(conv) end
local seqs = redis.call('MGET', unpack(keys))
for i = 1, #ARGV do seqs[i] = head_of(seqs[i])[S] end
return seqs
