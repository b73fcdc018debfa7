-- Presence: pres holds each connection's node and device, at the nodes of all of them. at is derived, always in the
-- same script.
-- After connections to a node came: puts it into at of their users.
local function appear(uids, node)
  if #uids == 0 then return end
  local keys, written, fresh = {}, {}, {}
  for i, uid in ipairs(uids) do keys[i] = K_at(uid) end
  for i, at in ipairs(redis.call('MGET', unpack(keys))) do
    if not at or not string.find(' ' .. at .. ' ', ' ' .. node .. ' ', 1, true) then
      fresh[#fresh + 1] = uids[i]
      written[#written + 1] = keys[i]
      written[#written + 1] = at and at .. ' ' .. node or node
    end
  end
  if #fresh == 0 then return end
  redis.call('MSET', unpack(written))
  redis.call('SADD', K_uids(node), unpack(fresh))
end

-- After connections to a node went: derives at of their users again, and notes when a user was last seen.
local function disappear(uids, node, now, life)
  local away, offline = {}, {}
  for _, uid in ipairs(uids) do
    local listed, here = {}, {}
    for _, value in ipairs(redis.call('HVALS', K_pres(uid))) do
      local at = string.match(value, '^%S+')
      if not here[at] then
        here[at] = true
        listed[#listed + 1] = at
      end
    end
    if not here[node] then away[#away + 1] = uid end
    if #listed > 0 then
      redis.call('SET', K_at(uid), table.concat(listed, ' '))
    else
      offline[#offline + 1] = K_at(uid)
      redis.call('SET', K_seen(uid), now, 'PX', life)
    end
  end
  if #away > 0 then redis.call('SREM', K_uids(node), unpack(away)) end
  if #offline > 0 then redis.call('DEL', unpack(offline)) end
end
