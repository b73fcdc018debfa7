#!lua flags=allow-oom
-- A node's heartbeat: its lease, its canary, and the number of payloads that it should have heard.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: node, lease in ms, 1 if it would bury the dead
-- REPLY: ts, 1 if the lease had not run out, number of the last payload to the node, how many replicas follow closely,
--        the dead nodes to bury
-- A replica says every second how far it is.
local CLOSE = 2
local node, lease = ARGV[1], ARGV[2]
local held = redis.call('SET', K_lease(node), now, 'PX', lease, 'GET')
redis.call('ZADD', K_nodes(), now, node)
redis.call('PUBLISH', K_to(node), '1 0\n!' .. string.format('%.0f', now))
local dead = {}
if ARGV[3] == '1' then
  local silent = redis.call('ZRANGEBYSCORE', K_nodes(), '-inf', now - lease)
  for _, other in ipairs(silent) do
    if redis.call('EXISTS', K_lease(other)) == 0 then dead[#dead + 1] = other end
  end
  -- Short, for who took it may fail; two that bury at once do no harm.
  if #dead > 0 and not redis.call('SET', K_sweep(), node, 'NX', 'PX', math.floor(lease / 3)) then dead = {} end
end
local replicas = 0
for lag in string.gmatch(redis.call('INFO', 'replication'), 'state=online[^\n]-,lag=(%d+)') do
  if tonumber(lag) <= CLOSE then replicas = replicas + 1 end
end
return { now, held and 1 or 0, tonumber(redis.call('GET', K_cnt(node)) or 0), replicas, dead }
