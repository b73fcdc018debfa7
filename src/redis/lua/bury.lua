#!lua flags=allow-oom
-- Removes what a node left behind, a part at a time.
-- INCLUDE: presence, now
-- KEYS: 1 root
-- ARGV: the dead node, how many uids now, life of a last-seen time in ms, 1 if its lease does not matter
-- REPLY: how many uids are left, -1 if the node lives; those of this part who are online nowhere now
local dead = ARGV[1]
if ARGV[4] ~= '1' and redis.call('EXISTS', K_lease(dead)) == 1 then return { -1 } end
local gone, some = {}, redis.call('SRANDMEMBER', K_uids(dead), ARGV[2])
for _, uid in ipairs(some) do
  local pres = redis.call('HGETALL', K_pres(uid))
  for i = 1, #pres, 2 do
    if string.match(pres[i + 1], '^%S+') == dead then redis.call('HDEL', K_pres(uid), pres[i]) end
  end
end
disappear(some, dead, now, ARGV[3])
for _, uid in ipairs(some) do
  if redis.call('EXISTS', K_at(uid)) == 0 then gone[#gone + 1] = uid end
end
local left = redis.call('SCARD', K_uids(dead))
if left == 0 then
  redis.call('DEL', K_cnt(dead), K_lease(dead))
  redis.call('ZREM', K_nodes(), dead)
end
return { left, gone }
