#!lua flags=no-writes,allow-oom
-- A page of a user's conversations, newest first.
-- INCLUDE: head, position
-- KEYS: 1 root
-- ARGV: uid, the time that all must be below or nothing, limit
-- REPLY: 1 if there are more; how many were looked at; conv, head, read, unread, at, last item or nothing, and what the other side of a dm has:
--        delivered, read (-1: no dm) of each
local uid, before, limit = ARGV[1], tonumber(ARGV[2]) or math.huge, tonumber(ARGV[3])
local STEP = 100
-- A box's score is the time of a message, but not of one that came less than this after it.
local LAG = 1000
-- What may be on the page: when, conversation, head (packed), the seq after which the user is there, and after which
-- they may read.
local AT, CONV, HEAD, SINCE, FLOOR = 1, 2, 3, 4, 5
local found, newest, looked = {}, 0, 0

local function note(at, conv, packed_head, since, floor)
  if at >= before then return end
  found[#found + 1] = { at, conv, packed_head, since, floor }
  if at > newest then newest = at end
end

-- Calls work(i, packed head or false) for each conversation, heads fetched some at a time.
local function each_head(convs, work)
  looked = looked + #convs
  for i = 1, #convs, STEP do
    local keys = {}
    for k = i, math.min(#convs, i + STEP - 1) do keys[#keys + 1] = K_head(convs[k]) end
    for k, packed_head in ipairs(redis.call('MGET', unpack(keys))) do work(i + k - 1, packed_head) end
  end
end

-- When the last message was stored; where none is left, when it began.
local function time_of(packed_head)
  local origin, gone, last, at = times_of(packed_head)
  return last > gone and at or math.floor(origin / 1000)
end

local function note_room(room, packed_head, since)
  local _, gone, last, at = times_of(packed_head)
  local floor = since
  -- Only where there is nothing newer does it matter whether the room is private.
  if last <= since and redis.call('HGET', K_room(room), 'private') ~= '1' then floor = 0 end
  if last <= math.max(floor, gone) then
    at = tonumber(redis.call('HGET', K_joined(uid), room)) or math.floor(since / 1000)
  end
  note(at, 'room:' .. room, packed_head, since, floor)
end

local function note_feeds()
  local rooms = redis.call('HGETALL', K_rooms(uid))
  local convs = { 'all' }
  for i = 1, #rooms, 2 do convs[#convs + 1] = 'room:' .. rooms[i] end
  each_head(convs, function(i, packed_head)
    if i == 1 then return note(time_of(packed_head), 'all', packed_head, 0, 0) end
    note_room(rooms[2 * i - 3], packed_head, tonumber(rooms[2 * i - 2]))
  end)
end

-- Down the box, a step at a time. Nothing that is still to come was stored at or after `horizon`.
local highest = before < math.huge and string.format('(%.0f', before) or '+inf'
local offset, horizon = 0, math.huge
local function go_on()
  local scored = redis.call('ZREVRANGEBYSCORE', K_box(uid), highest, '-inf', 'WITHSCORES', 'LIMIT', offset, STEP)
  local convs = {}
  for i = 1, #scored, 2 do convs[#convs + 1] = scored[i] end
  each_head(convs, function(i, packed_head)
    if packed_head then note(time_of(packed_head), convs[i], packed_head, 0, 0) end
  end)
  offset = offset + STEP
  horizon = #convs < STEP and -1 or tonumber(scored[#scored]) + LAG
end

local function is_enough()
  if horizon < 0 then return true end
  if newest < horizon then return false end
  local count = 0
  for i = 1, #found do
    if found[i][AT] >= horizon then count = count + 1 end
    if count > limit then return true end
  end
  return false
end

-- The newest of what was found: more than fit on the page by one and all that are of the same time, if there are.
local function newest_of(all)
  if #all <= limit then return all end
  local times, some = {}, {}
  for i = 1, #all do times[i] = all[i][AT] end
  table.sort(times)
  local least = times[#times - limit]
  for i = 1, #all do
    if all[i][AT] >= least then some[#some + 1] = all[i] end
  end
  return some
end

-- Takes dms of which nothing is left out of what was found; returns whether there were any.
local function drop_empty(some)
  local empty = {}
  for _, one in ipairs(some) do
    if string.sub(one[CONV], 1, 3) == 'dm:' and redis.call('EXISTS', K_log(one[CONV])) == 0 then empty[one] = true end
  end
  if not next(empty) then return false end
  local left = {}
  for _, one in ipairs(found) do
    if not empty[one] then left[#left + 1] = one end
  end
  found = left
  return true
end

-- How many are on the page. The next one is below the last time of this one, so what is of one time is not torn apart:
-- the page ends before it or, where that would leave nothing, after it.
local function end_of_page(some)
  if #some <= limit then return #some end
  local torn = some[limit + 1][AT]
  local last = limit
  while last > 0 and some[last][AT] == torn do last = last - 1 end
  return last > 0 and last or #some
end

local function last_of(one, h, log, len)
  local index = upto(log, h, len, h[L]) - 1
  if h[L] <= one[FLOOR] or index < 0 then return false end
  local item = redis.call('LINDEX', log, index)
  return item and tonumber(string.match(item, '"seq":(%d+)')) == h[L] and item
end

local function unread_of(conv, h, log, len, read)
  local from = math.max(read, h[TR])
  local entries = len - upto(log, h, len, from)
  if entries == 0 then return 0 end
  return math.max(0, entries - redis.call('ZCOUNT', K_ops(conv), string.format('(%.0f', from), '+inf'))
end

local function peer_of(conv, h, a, b)
  local peer, delivered, read = b, h[FB], h[RB]
  if uid == b then peer, delivered, read = a, h[FA], h[RA] end
  local told = redis.call('GET', K_hidden(conv, peer))
  if told then delivered, read = string.match(told, '^(%d+) (%d+)$') end
  return tonumber(delivered), tonumber(read)
end

local reply = { 0, 0 }
local function tell(one)
  local conv, h = one[CONV], head_of(one[HEAD])
  local log = K_log(conv)
  local len = redis.call('LLEN', log)
  local a, b = sides(conv)
  local read, peer_delivered, peer_read
  if a then
    read = uid == a and h[RA] or h[RB]
    peer_delivered, peer_read = peer_of(conv, h, a, b)
  else
    read = math.max(one[SINCE], tonumber(redis.call('HGET', K_read(uid), conv) or 0))
  end
  local told = { conv, h[S], read, unread_of(conv, h, log, len, read), one[AT], last_of(one, h, log, len) }
  told[7], told[8] = peer_delivered or -1, peer_read or -1
  for _, each in ipairs(told) do reply[#reply + 1] = each end
end

note_feeds()
local some
repeat
  while not is_enough() do go_on() end
  some = newest_of(found)
until not drop_empty(some)
table.sort(some, function(one, other)
  if one[AT] ~= other[AT] then return one[AT] > other[AT] end
  return one[CONV] < other[CONV]
end)
local count = end_of_page(some)
if count < #found or horizon >= 0 then reply[1] = 1 end
reply[2] = looked
for i = 1, count do tell(some[i]) end
return reply
