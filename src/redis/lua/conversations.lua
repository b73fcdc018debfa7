#!lua flags=no-writes,allow-oom
-- A page of a user's conversations, newest first.
-- INCLUDE: head, position
-- KEYS: 1 root
-- ARGV: uid, the time that all must be below or nothing, limit
-- REPLY: 1 if there are more; conv, head, read, unread, at, last item or nothing, and what the other side of a dm has:
--        delivered, read (-1: no dm) of each
local uid, before, limit = ARGV[1], tonumber(ARGV[2]) or math.huge, tonumber(ARGV[3])
local STEP = 100
-- A box's score is the time of a message, but not of one that came less than this after it.
local LAG = 1000
local found = {}

local function heads_of(convs)
  local heads = {}
  for i = 1, #convs, STEP do
    local keys = {}
    for k = i, math.min(#convs, i + STEP - 1) do keys[#keys + 1] = K_head(convs[k]) end
    for k, packed_head in ipairs(redis.call('MGET', unpack(keys))) do heads[i + k - 1] = head_of(packed_head) end
  end
  return heads
end

local function note(conv, h, at, since, floor)
  if at < before then found[#found + 1] = { conv = conv, h = h, at = at, since = since, floor = floor } end
end

local function note_room(room, h, since)
  local conv = 'room:' .. room
  local floor = since
  -- Only where there is nothing newer does it matter whether the room is private.
  if h[L] <= since and redis.call('HGET', K_room(room), 'private') ~= '1' then floor = 0 end
  local at = h[M]
  if h[L] <= math.max(floor, h[TR]) then
    at = tonumber(redis.call('HGET', K_joined(uid), room)) or math.floor(since / 1000)
  end
  note(conv, h, at, since, floor)
end

local function note_feeds()
  local rooms = redis.call('HGETALL', K_rooms(uid))
  local convs = { 'all' }
  for i = 1, #rooms, 2 do convs[#convs + 1] = 'room:' .. rooms[i] end
  local heads = heads_of(convs)
  local h = heads[1]
  note('all', h, h[L] > h[TR] and h[M] or math.floor(h[O] / 1000), 0, 0)
  for i = 1, #rooms, 2 do note_room(rooms[i], heads[1 + (i + 1) / 2], tonumber(rooms[i + 1])) end
end

local function note_direct(conv, h)
  if redis.call('EXISTS', K_log(conv)) == 0 then return end
  note(conv, h, h[L] > h[TR] and h[M] or math.floor(h[O] / 1000), 0, 0)
end

local function count_from(time)
  local count = 0
  for _, one in ipairs(found) do
    if one.at >= time then count = count + 1 end
  end
  return count
end

-- Goes down the box until nothing that is still to come can be on the page, or of the same time as its end. Returns
-- whether it went to the bottom.
local function note_box()
  local highest = before < math.huge and string.format('(%.0f', before) or '+inf'
  local offset = 0
  while true do
    local scored = redis.call('ZREVRANGEBYSCORE', K_box(uid), highest, '-inf', 'WITHSCORES', 'LIMIT', offset, STEP)
    local convs = {}
    for i = 1, #scored, 2 do convs[#convs + 1] = scored[i] end
    for i, h in ipairs(heads_of(convs)) do note_direct(convs[i], h) end
    if #convs < STEP then return true end
    if count_from(tonumber(scored[#scored]) + LAG) > limit then return false end
    offset = offset + STEP
  end
end

-- How many are on the page. The next one is below the last time of this one, so what is of one time is not torn apart:
-- the page ends before it or, where that would leave nothing, after it.
local function end_of_page()
  if #found <= limit then return #found end
  local torn = found[limit + 1].at
  local last = limit
  while last > 0 and found[last].at == torn do last = last - 1 end
  if last > 0 then return last end
  last = limit + 1
  while found[last + 1] and found[last + 1].at == torn do last = last + 1 end
  return last
end

local function last_of(one, log, len)
  local index = upto(log, one.h, len, one.h[L]) - 1
  if one.h[L] <= one.floor or index < 0 then return false end
  local item = redis.call('LINDEX', log, index)
  return item and tonumber(string.match(item, '"seq":(%d+)')) == one.h[L] and item
end

local function unread_of(one, log, len, read)
  local from = math.max(read, one.h[TR])
  local entries = len - upto(log, one.h, len, from)
  if entries == 0 then return 0 end
  return math.max(0, entries - redis.call('ZCOUNT', K_ops(one.conv), string.format('(%.0f', from), '+inf'))
end

local function peer_of(one, a, b)
  local peer, delivered, read = b, one.h[FB], one.h[RB]
  if uid == b then peer, delivered, read = a, one.h[FA], one.h[RA] end
  local told = redis.call('GET', K_hidden(one.conv, peer))
  if told then delivered, read = string.match(told, '^(%d+) (%d+)$') end
  return tonumber(delivered), tonumber(read)
end

local reply = { 0 }
local function tell(one)
  local log = K_log(one.conv)
  local len = redis.call('LLEN', log)
  local a, b = sides(one.conv)
  local read, peer_delivered, peer_read
  if a then
    read = uid == a and one.h[RA] or one.h[RB]
    peer_delivered, peer_read = peer_of(one, a, b)
  else
    read = math.max(one.since, tonumber(redis.call('HGET', K_read(uid), one.conv) or 0))
  end
  local told = { one.conv, one.h[S], read, unread_of(one, log, len, read), one.at, last_of(one, log, len) }
  told[7], told[8] = peer_delivered or -1, peer_read or -1
  for _, each in ipairs(told) do reply[#reply + 1] = each end
end

note_feeds()
local whole = note_box()
table.sort(found, function(one, other)
  if one.at ~= other.at then return one.at > other.at end
  return one.conv < other.conv
end)
local count = end_of_page()
if count < #found or not whole then reply[1] = 1 end
for i = 1, count do tell(found[i]) end
return reply
