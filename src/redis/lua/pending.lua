#!lua flags=allow-oom
-- Where a device stands, without a connection arriving.
-- INCLUDE: head, position, now, device, arrive
-- KEYS: 1 root
-- ARGV: uid, device, since (ms; 0: all that may be pending), most devices, their life in ms
-- REPLY: ts; pending: conv, cursor, head each; feeds: likewise; conversations looked at
local uid, since = ARGV[1], tonumber(ARGV[3])
local at = admit(uid, ARGV[2], now, tonumber(ARGV[4]), tonumber(ARGV[5]))
local pending = {}
if at.holds and since == 0 then
  pending = settle(uid, at, now)
elseif at.holds then
  pending = pending_of(uid, at.cur, at.born, since, since)
end
local feeds = feeds_of(uid, at)
return { now, pending, feeds, looked }
