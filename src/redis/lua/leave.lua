#!lua flags=allow-oom
-- Connections are gone. Their devices were last seen now.
-- INCLUDE: presence, now
-- KEYS: 1 root
-- ARGV: node, life of a device and of a last-seen time in ms; the connections, a line each, with a tab between: uid, connection
-- REPLY: per connection 1, 0 if it was not there, or why it could not be removed
local reply, gone = {}, {}
local function leave(uid, conn)
  local pres = K_pres(uid)
  local value = redis.call('HGET', pres, conn)
  if not value then return 0 end
  redis.call('HDEL', pres, conn)
  local device = string.match(value, ' (.*)$')
  if device then redis.call('ZADD', K_devs(uid), 'XX', now, device) end
  gone[#gone + 1] = uid
  return 1
end
for uid, conn in string.gmatch(ARGV[3], '([^\t]+)\t([^\n]+)\n') do
  -- One broken key must not keep others online.
  local _, answer = pcall(leave, uid, conn)
  reply[#reply + 1] = type(answer) == 'table' and answer.err or answer
end
disappear(gone, ARGV[1], now, ARGV[2])
return reply
