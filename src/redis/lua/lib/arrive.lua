-- What a device that arrives must know: where it stands in its conversations.
local CHUNK = 500
-- Redis formats a number anew for each command that it is given to.
local now_text, us_text = string.format('%.0f', now), string.format('%.0f', us)

local function hash_of(flat)
  local hash = {}
  for i = 1, #flat, 2 do hash[flat[i]] = flat[i + 1] end
  return hash
end

-- How many conversations were looked at.
local looked = 0

-- Calls work(conv, head or nil, packed) for each conversation of a list, heads fetched in chunks.
local function each_head(convs, work)
  looked = looked + #convs
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

-- The last seq of all; looked up once a script.
local head_of_all
local function last_of_all()
  head_of_all = head_of_all or head_of(redis.call('GET', K_head('all')))[S]
  return head_of_all
end

-- A device seen for the first time starts at what the user's others acknowledged: written out where that is less
-- than all; everything else counts as acknowledged by its birth.
local function bear(uid, device, at, now, most, life)
  local devs, cur, floors = K_devs(uid), at.cur, {}
  if redis.call('ZCARD', devs) == 1 then
    local head = last_of_all()
    local is_first = redis.call('HSETNX', K_floor(uid), 'all', head) == 1
    -- What all heard before counts as read.
    if head > 0 then redis.call('HSETNX', K_read(uid), 'all', head) end
    if is_first then floors.all = head end
  else
    for _, old in ipairs(redis.call('ZRANGEBYSCORE', devs, '-inf', now - life)) do forget(uid, old) end
    local excess = redis.call('ZCARD', devs) - most
    if excess > 0 then
      for _, old in ipairs(redis.call('ZRANGE', devs, 0, excess)) do
        if excess > 0 and old ~= device then
          forget(uid, old)
          excess = excess - 1
        end
      end
    end
  end
  -- Who was nowhere and is in no room has acknowledged nothing else.
  if at.holds or not floors.all then floors = hash_of(redis.call('HGETALL', K_floor(uid))) end
  each_head(at.holds and redis.call('ZRANGE', K_box(uid), 0, -1) or {}, function(conv, h)
    if not h then return end
    local acknowledged = uid == sides(conv) and h[FA] or h[FB]
    if acknowledged < h[S] then redis.call('HSETNX', cur, conv, acknowledged) end
  end)
  at.all = at.all or tonumber(floors.all)
  floors.all = nil
  for conv, acknowledged in pairs(floors) do redis.call('HSETNX', cur, conv, acknowledged) end
  at.born, at.mark = now, at.holds and 0 or now
  local fields = { 'born', now, 'mark', at.mark, 'told', us, 'renewed', now }
  if at.all then fields[9], fields[10] = 'all', at.all end
  redis.call('HSET', cur, unpack(fields))
  keep(uid, device, cur, life, not at.holds)
end

-- Who was never here, and for whom there is nothing, as are most of the many who come at once: returns their place in
-- all, or nothing where something was acknowledged for them all the same.
local function greet(uid, device, cur, life)
  local head = string.format('%.0f', last_of_all())
  if redis.call('HSETNX', K_floor(uid), 'all', head) == 0 then return end
  if head ~= '0' then redis.call('HSETNX', K_read(uid), 'all', head) end
  redis.call('ZADD', K_devs(uid), now_text, device)
  redis.call('HSET', cur, 'born', now_text, 'mark', now_text, 'told', us_text, 'renewed', now_text, 'all', head)
  keep(uid, device, cur, life, true, head == '0')
  return head_of_all
end

-- Remembers the device. Returns where it stands: cur, its hash's key, and born, mark, told and all of that; is_new;
-- and whether there may be anything for the user beyond what is for all: those who have nothing are many.
local function admit(uid, device, now, most, life)
  local cur, devs = K_cur(uid, device), K_devs(uid)
  local held = redis.call('EXISTS', devs, K_box(uid), K_stirred(uid), K_rooms(uid), K_rcpt(uid), K_blocks(uid))
  local all = held == 0 and greet(uid, device, cur, life)
  if all then return { cur = cur, born = now, mark = now, all = all, is_new = true, holds = false } end
  local is_new = redis.call('ZADD', devs, now_text, device) == 1
  if not is_new or redis.call('ZCARD', devs) > 1 then held = held - 1 end
  local got = redis.call('HMGET', cur, 'born', 'mark', 'told', 'all', 'renewed')
  local at = { cur = cur, born = tonumber(got[1]), mark = tonumber(got[2]) or 0, told = got[3], all = tonumber(got[4]) }
  at.is_new, at.holds = is_new or not at.born, held > 0
  if at.is_new then
    bear(uid, device, at, now, most, life)
  elseif now - tonumber(got[5] or 0) > life / 24 then
    renew(uid, device, cur, now, life)
  end
  return at
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
local function feeds_of(uid, at)
  local flat = { 'all', at.all or 0, last_of_all() }
  local rooms = at.holds and redis.call('HGETALL', K_rooms(uid)) or {}
  local convs, since = {}, {}
  for i = 1, #rooms, 2 do
    local conv = 'room:' .. rooms[i]
    convs[#convs + 1] = conv
    since[conv] = tonumber(rooms[i + 1])
  end
  local explicit = {}
  for i = 1, #convs, CHUNK do
    local last = math.min(#convs, i + CHUNK - 1)
    local got = redis.call('HMGET', at.cur, unpack(convs, i, last))
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
local function settle(uid, at, now)
  local pending, lowest = pending_of(uid, at.cur, at.born, at.mark, 0)
  local next = lowest or now
  if next ~= at.mark then redis.call('HSET', at.cur, 'mark', next) end
  return pending
end
