#!lua flags=allow-oom
-- Begins or ends a ban, and says that the list is another one now.
-- INCLUDE: now, sanction
-- KEYS: 1 root
-- ARGV: the ban, 1 to begin or 0 to end, how many there may be
-- REPLY: 0 if that would be too many, else when it was stated
local on = ARGV[2] == '1'
-- One field is the revision.
local full = on and redis.call('HLEN', K_bans()) > tonumber(ARGV[3])
if full and redis.call('HEXISTS', K_bans(), ARGV[1]) == 0 then return 0 end
ban(ARGV[1], on)
return state()
