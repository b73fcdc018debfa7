#!lua
-- Stores an entry that changes a message, and replaces items, if each is still as it was read. Refused as a whole when
-- memory is full.
-- INCLUDE: head, position, log, hint, now, ids, store, replace
-- KEYS: 1 root
-- ARGV: as of append.lua for one letter, which has an op; then that op, the seq of the message, how many edits a message
--       may have; per item to replace: seq, as it was, as it becomes
-- REPLY: nothing if an item has changed, else as of append.lua
local conv, op, ref = ARGV[3], ARGV[7], ARGV[8]
local a, b = match(conv, '^dm:([^:]+):(.+)$')
local log, first_item = K_log(conv), 10

-- A trimmed head is one that attempt has to know of.
local function is_pinned()
  if not a then return false end
  local h = head_of(found[slot[3]])
  local space = room_for(1, conv, h, a, b)
  if h[S] > 0 then found[slot[3]] = packed(h) end
  return space < 1
end

local function refuses()
  local refusal = not a and conv ~= 'all' and is_member(sub(conv, 6), match(ARGV[5], '^%d(%S+)'))
  if refusal then return refusal end
  if is_pinned() then return 'too_large' end
  if op == 'edit' and call('ZCOUNT', K_edits(conv), ref, ref) >= tonumber(ARGV[9]) then return 'too_large' end
end

local places, len = {}, 0
if not (known[1] or older[1]) then
  reply[4] = refuses()
  if reply[4] then return reply end
  len = call('LLEN', log)
  places = places_of(log, head_of(found[slot[3]]), first_item)
  if not places then return false end
  -- Before the entry is stored, for that may trim the log.
  put(log, places, first_item, 2)
end
local well = attempt(3, true)
-- Unless it was stored all the same: then the items are no longer there.
if not well and places[1] and call('LLEN', log) == len then
  put(log, places, first_item, 1)
end
remember()
local is_new = well and reply[5] % 2 == 0
if is_new and op == 'edit' then
  redis.pcall('ZADD', K_edits(conv), ref, format('%.0f', reply[4]))
  call('PEXPIRE', K_edits(conv), HEAD_LIFE)
end
reply[2], reply[3] = forward(self)
if repeated[1] then reply[#reply + 1] = repeated end
return reply
