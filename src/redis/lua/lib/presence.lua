-- Presence: pres holds each connection's node and device, at the nodes of all of them. at is derived, always in the
-- same script.
local function appear(uid, node)
  local key = K_at(uid)
  local at = redis.call('GET', key)
  if at and string.find(' ' .. at .. ' ', ' ' .. node .. ' ', 1, true) then return end
  redis.call('SET', key, at and at .. ' ' .. node or node)
  redis.call('SADD', K_uids(node), uid)
end

-- After connections of a node went: derives at again, and notes when a user was last seen.
local function disappear(uid, node, now, life)
  local listed, here = {}, {}
  for _, value in ipairs(redis.call('HVALS', K_pres(uid))) do
    local at = string.match(value, '^%S+')
    if not here[at] then
      here[at] = true
      listed[#listed + 1] = at
    end
  end
  if not here[node] then redis.call('SREM', K_uids(node), uid) end
  if #listed > 0 then
    redis.call('SET', K_at(uid), table.concat(listed, ' '))
  else
    redis.call('DEL', K_at(uid))
    redis.call('SET', K_seen(uid), now, 'PX', life)
  end
end
