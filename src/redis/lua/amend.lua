#!lua
-- Stores an entry that changes a message, and replaces items, if each is still as it was read. Refused as a whole when
-- memory is full.
-- INCLUDE: head, position, log, hint, now, store, replace
-- KEYS: 1 root
-- ARGV: as of append.lua for one letter, which has an op; then that op, the seq of the message, how many edits a message
--       may have; per item to replace: seq, as it was, as it becomes
-- REPLY: nothing if an item has changed, else as of append.lua
local conv, p = ARGV[12], 13 + uids
local kind, sender, id = ARGV[p], ARGV[p + 5], ARGV[p + 6]
local op, ref = ARGV[p + 9], ARGV[p + 10]
local first_item = p + 12
local log = K_log(conv)

-- A trimmed head is one that attempt has to know of.
local function is_pinned()
  if kind ~= 'd' then return false end
  local h = head_of(found[2])
  local room = room_for(1, conv, h, ARGV[p + 1], ARGV[p + 2])
  if h[S] > 0 then found[2] = packed(h) end
  return room < 1
end

local function refuses()
  local refusal = kind == 'r' and is_member(ARGV[p + 1], sender)
  if refusal then return refusal end
  if is_pinned() then return 'conflict' end
  if op == 'edit' and call('ZCOUNT', K_edits(conv), ref, ref) >= tonumber(ARGV[p + 11]) then return 'conflict' end
end

local places, len = {}, 0
if id == '' or call('EXISTS', K_dedup(conv, sender, id)) == 0 then
  reply[4] = refuses()
  if reply[4] then return reply end
  len = call('LLEN', log)
  places = places_of(log, head_of(found[2]), first_item)
  if not places then return false end
  -- Before the entry is stored, for that may trim the log.
  put(log, places, first_item, 2)
end
local well = attempt(1, p, true)
-- Unless it was stored all the same: then the items are no longer there.
if not well and places[1] and call('LLEN', log) == len then
  put(log, places, first_item, 1)
end
local is_new = well and reply[5] % 2 == 0
if is_new and op == 'edit' then
  redis.pcall('ZADD', K_edits(conv), ref, format('%.0f', reply[4]))
  call('PEXPIRE', K_edits(conv), life_of_head)
end
reply[2], reply[3] = forward(self)
if repeated[1] then reply[#reply + 1] = repeated end
return reply
