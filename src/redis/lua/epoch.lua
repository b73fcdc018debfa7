#!lua flags=allow-oom
-- Tells whether this is still the Redis process that it was. Another one may not have the newest entries: it begins new
-- runs in all logs, and nobody stores anything until the nodes have brought what they kept, or have had the time.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: run_id of the server, node, how long to wait for nodes that do not show up and for those that did, in ms
-- REPLY: 1 if it is another one
local id, epoch = string.match(redis.call('GET', K_epoch()) or '', '^(%S+) (%d+)$')
local is_new = id ~= ARGV[1]
if is_new then
  local next = math.max(us, (tonumber(epoch) or 0) + 1)
  redis.call('SET', K_epoch(), ARGV[1] .. ' ' .. string.format('%.0f', next))
  redis.call('SET', K_since(), redis.call('GET', K_stated()) or 0)
  redis.call('DEL', K_brought(), K_coming())
  redis.call('SET', K_hold(), 1, 'PX', ARGV[3])
end
if is_new or redis.call('EXISTS', K_coming()) == 1 then
  redis.call('SADD', K_coming(), ARGV[2])
  redis.call('PEXPIRE', K_coming(), ARGV[4], 'NX')
end
return is_new and 1 or 0
