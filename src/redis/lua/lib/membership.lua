-- Who is in a room. changed lists each user who gained or lost one, with the seq since when (-1: lost).
local changed = {}

local function role_of(room, uid)
  return string.match(redis.call('HGET', K_members(room), uid) or '', '^(%S+) (%d+)$')
end

local function lose(room, uid)
  local conv = 'room:' .. room
  redis.call('HDEL', K_members(room), uid)
  redis.call('ZREM', K_roll(room), uid)
  redis.call('HDEL', K_rooms(uid), room)
  redis.call('HDEL', K_joined(uid), room)
  redis.call('HDEL', K_floor(uid), conv)
  redis.call('HDEL', K_read(uid), conv)
  -- In no room any more: what else these hold ends with the devices.
  local left = redis.call('EXISTS', K_rooms(uid)) == 0 and redis.call('PTTL', K_devs(uid))
  if left then
    for _, key in ipairs({ K_read(uid), K_floor(uid) }) do redis.call('PEXPIRE', key, math.max(1, left)) end
  end
  changed[#changed + 1] = { uid, -1 }
end

-- Gives a user a role, or takes it ('') and with it the room. before is the seq before the entry that says so.
local function assign(room, uid, role, before)
  local old, since = role_of(room, uid)
  if old then redis.call('ZREM', K_serving(room, old), uid) end
  if role == '' then
    if old then lose(room, uid) end
    return
  end
  since = tonumber(since) or before
  redis.call('HSET', K_members(room), uid, role .. ' ' .. string.format('%.0f', since))
  redis.call('ZADD', K_serving(room, role), since, uid)
  redis.call('ZADD', K_roll(room), 0, uid)
  if old then return end
  redis.call('HSET', K_rooms(uid), room, before)
  redis.call('HSET', K_joined(uid), room, now)
  -- Positions last as long as the user is in a room; see keep in device.lua.
  redis.call('PERSIST', K_read(uid))
  redis.call('PERSIST', K_floor(uid))
  changed[#changed + 1] = { uid, before }
end

-- The room is gone, with its log, which had nothing above that seq.
local function raze(room, upto_seq)
  local conv = 'room:' .. room
  for _, uid in ipairs(redis.call('HKEYS', K_members(room))) do lose(room, uid) end
  redis.call('DEL', K_room(room), K_members(room), K_roll(room), K_log(conv), K_head(conv), K_ops(conv), K_edits(conv))
  for _, role in ipairs({ 'owner', 'admin', 'member' }) do redis.call('DEL', K_serving(room, role)) end
  bury(conv, upto_seq)
end

-- Tells the nodes of those who gained or lost the room; returns the changes of users that one node holds.
local function tell_changed(conv, node)
  local here = {}
  for _, change in ipairs(changed) do
    local at = redis.call('GET', K_at(change[1]))
    tell_user(at, '=' .. change[1] .. '\t' .. conv .. '\t' .. string.format('%.0f', change[2]))
    if at and string.find(' ' .. at .. ' ', ' ' .. node .. ' ', 1, true) then here[#here + 1] = change end
  end
  return here
end
