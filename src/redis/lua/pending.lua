#!lua flags=allow-oom
-- Where a device stands, without a connection arriving.
-- INCLUDE: head, position, device, arrive, now
-- KEYS: 1 root
-- ARGV: uid, device, since (ms; 0: all that may be pending), most devices, their life in ms
-- REPLY: ts; pending: conv, cursor, head each; feeds: likewise
local uid, since = ARGV[1], tonumber(ARGV[3])
local cur, born, mark = admit(uid, ARGV[2], now, tonumber(ARGV[4]), tonumber(ARGV[5]))
local pending
if since == 0 then pending = settle(uid, cur, born, mark, now) else pending = pending_of(uid, cur, born, since, since) end
return { now, pending, feeds_of(uid, cur) }
