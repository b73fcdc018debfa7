-- What a device that arrives must know: where it stands in its conversations.
local CHUNK = 500

local function hash_of(flat)
  local hash = {}
  for i = 1, #flat, 2 do hash[flat[i]] = flat[i + 1] end
  return hash
end

-- Calls work(conv, head or nil, packed) for each conversation of a list, heads fetched in chunks.
local function each_head(convs, work)
  for i = 1, #convs, CHUNK do
    local keys = {}
    for k = i, math.min(#convs, i + CHUNK - 1) do keys[#keys + 1] = K_head(convs[k]) end
    local heads = redis.call('MGET', unpack(keys))
    for k = 1, #keys do work(convs[i + k - 1], heads[k] and head_of(heads[k])) end
  end
end

local function forget(uid, device)
  redis.call('ZREM', K_devs(uid), device)
  redis.call('DEL', K_cur(uid, device), K_polls(uid, device))
end

-- A device seen for the first time starts at what the user's others acknowledged: written out where that is less
-- than all; everything else counts as acknowledged by its birth.
local function bear(uid, device, cur, now, most, life)
  local devs, floor = K_devs(uid), K_floor(uid)
  if redis.call('EXISTS', devs) == 0 then
    local head = head_of(redis.call('GET', K_head('all')))[S]
    redis.call('HSETNX', floor, 'all', head)
    -- What all heard before counts as read.
    redis.call('HSETNX', K_read(uid), 'all', head)
  end
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', devs, '-inf', now - life)) do forget(uid, old) end
  local excess = redis.call('ZCARD', devs) + 1 - most
  if excess > 0 then
    for _, old in ipairs(redis.call('ZRANGE', devs, 0, excess - 1)) do forget(uid, old) end
  end
  each_head(redis.call('ZRANGE', K_box(uid), 0, -1), function(conv, h)
    if not h then return end
    local acknowledged = uid == sides(conv) and h[FA] or h[FB]
    if acknowledged < h[S] then redis.call('HSETNX', cur, conv, acknowledged) end
  end)
  for conv, acknowledged in pairs(hash_of(redis.call('HGETALL', floor))) do
    redis.call('HSETNX', cur, conv, acknowledged)
  end
  redis.call('HSET', cur, 'born', now, 'mark', 0)
end

-- Remembers the device. Returns its hash's key, born, mark, and when it was last seen (nil: never).
local function admit(uid, device, now, most, life)
  local cur = K_cur(uid, device)
  local seen = tonumber(redis.call('ZSCORE', K_devs(uid), device))
  local got = redis.call('HMGET', cur, 'born', 'mark')
  local born, mark = tonumber(got[1]), tonumber(got[2])
  if not seen or not born then
    bear(uid, device, cur, now, most, life)
    born, mark = now, 0
  end
  redis.call('ZADD', K_devs(uid), now, device)
  renew(uid, device, cur, now, life)
  return cur, born, mark or 0, seen
end

-- The direct conversations with an entry since a time, and when each had its last one.
local function active_since(uid, since)
  local convs, scores = {}, {}
  for _, key in ipairs({ K_box(uid), K_stirred(uid) }) do
    local scored = redis.call('ZRANGEBYSCORE', key, since - LAG, '+inf', 'WITHSCORES')
    for i = 1, #scored, 2 do
      local conv, score = scored[i], tonumber(scored[i + 1])
      if not scores[conv] then convs[#convs + 1] = conv end
      scores[conv] = math.max(scores[conv] or 0, score)
    end
  end
  return convs, scores
end

-- The direct conversations with entries above the cursor, of those with an entry since a time: flat conv, cursor,
-- head; without those whose last entry is older than oldest. And the lowest time of a last entry among them.
local function pending_of(uid, cur, born, since, oldest)
  local flat, lowest = {}, nil
  local convs, scores = active_since(uid, since)
  local explicit = {}
  for i = 1, #convs, CHUNK do
    local last = math.min(#convs, i + CHUNK - 1)
    local got = redis.call('HMGET', cur, unpack(convs, i, last))
    for k = i, last do explicit[convs[k]] = got[k - i + 1] end
  end
  each_head(convs, function(conv, h)
    if not h then
      redis.call('ZREM', K_box(uid), conv)
      redis.call('ZREM', K_stirred(uid), conv)
      return
    end
    if h[T] < oldest then return end
    -- A log that cannot be searched is pending from its beginning: it must not keep the user out.
    local searched, cursor = pcall(cursor_of, uid, conv, h, explicit[conv], born)
    if not searched then cursor = 0 end
    if cursor >= h[S] then return end
    -- The search for it is not repeated.
    if searched and not explicit[conv] then redis.call('HSET', cur, conv, cursor) end
    flat[#flat + 1] = conv
    flat[#flat + 1] = cursor
    flat[#flat + 1] = h[S]
    if not lowest or scores[conv] < lowest then lowest = scores[conv] end
  end)
  return flat, lowest
end

-- all, and every room of the user: flat conv, cursor, head.
local function feeds_of(uid, cur)
  local rooms = redis.call('HGETALL', K_rooms(uid))
  local convs, since = { 'all' }, { all = 0 }
  for i = 1, #rooms, 2 do
    local conv = 'room:' .. rooms[i]
    convs[#convs + 1] = conv
    since[conv] = tonumber(rooms[i + 1])
  end
  local flat = {}
  local explicit = {}
  for i = 1, #convs, CHUNK do
    local last = math.min(#convs, i + CHUNK - 1)
    local got = redis.call('HMGET', cur, unpack(convs, i, last))
    for k = i, last do explicit[convs[k]] = tonumber(got[k - i + 1] or 0) end
  end
  each_head(convs, function(conv, h)
    flat[#flat + 1] = conv
    flat[#flat + 1] = math.max(explicit[conv], since[conv])
    flat[#flat + 1] = h and h[S] or 0
  end)
  return flat
end

-- All that is pending; from then on it is looked for from the oldest of it.
local function settle(uid, cur, born, mark, now)
  local pending, lowest = pending_of(uid, cur, born, mark, 0)
  local next = lowest or now
  if next ~= mark then redis.call('HSET', cur, 'mark', next) end
  return pending
end
