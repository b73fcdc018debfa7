#!lua flags=allow-oom
-- Begins or ends to block somebody.
-- INCLUDE: now, sanction
-- KEYS: 1 root
-- ARGV: who blocks, whom, 1 to begin or 0 to end, how many one may block
-- REPLY: 0 if that would be too many, else when it was stated
local on = ARGV[3] == '1'
local full = on and redis.call('SCARD', K_blocks(ARGV[1])) >= tonumber(ARGV[4])
if full and redis.call('SISMEMBER', K_blocks(ARGV[1]), ARGV[2]) == 0 then return 0 end
block(ARGV[1], ARGV[2], on)
return state()
