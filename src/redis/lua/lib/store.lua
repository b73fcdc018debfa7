-- Storing letters, addressing and hinting them: what append and amend share. ARGV begins as append.lua says, so that a
-- letter's place in it is the same in both.
local self, keep, slack, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most, most_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
local stranger_most, strangers_most = tonumber(ARGV[8]), tonumber(ARGV[9])
-- One message that nobody acknowledges keeps all that follows it from being trimmed, also what its receiver writes. A
-- direct log still has an end: what retention keeps, and two full boxes.
local longest = keep + slack + 2 * most
local call, format, match, byte = redis.call, string.format, string.match, string.byte
-- Numbers become text once: Redis would print them for each call again.
local ts, life_of_head = format('%.0f', now), format('%.0f', 2 * life)

local convs, uids = tonumber(ARGV[10]), tonumber(ARGV[11])
local wanted = { K_epoch() }
for i = 1, convs do wanted[i + 1] = K_head(ARGV[11 + i]) end
for i = 1, uids do wanted[1 + convs + i] = K_at(ARGV[11 + convs + i]) end
local found = call('MGET', unpack(wanted))
local epoch = found[1] and tonumber(match(found[1], '%d+$')) or 0
local at = {}
for i = 1, uids do at[ARGV[11 + convs + i]] = found[1 + convs + i] end

local reply = { now, 0, 0 }
-- The entries that letters of this call repeat.
local repeated = {}
-- Dedup keys that the running conversation set: deleted should it fail, for there is no rollback.
local set = {}

local function is_member(room, sender)
  if call('HEXISTS', K_members(room), sender) == 1 then return nil end
  return call('EXISTS', K_room(room)) == 1 and 'not_member' or 'not_found'
end

-- A uid that no device ever used may be written to by so many, and so much.
local function stranger_refuses(sender, receiver, pending)
  if call('EXISTS', K_devs(receiver)) == 1 then return false end
  if pending >= stranger_most then return true end
  local strangers = K_strangers(sender)
  if not call('ZSCORE', strangers, receiver) and call('ZCARD', strangers) >= strangers_most then
    call('ZREMRANGEBYSCORE', strangers, '-inf', now - life)
    for _, uid in ipairs(call('ZRANDMEMBER', strangers, 50)) do
      if call('EXISTS', K_devs(uid)) == 1 then call('ZREM', strangers, uid) end
    end
    if call('ZCARD', strangers) >= strangers_most then return true end
  end
  call('ZADD', strangers, now, receiver)
  call('PEXPIRE', strangers, math.floor(life))
  return false
end

-- Whether the receiver's box takes no more. P, Y, F, R are the receiver's fields in the head; more is what this batch
-- added already, size its bytes with the message in question.
local function is_full(conv, h, P, Y, F, R, more, size, sender, receiver)
  if h[P] + more >= most or h[Y] + size > most_bytes then
    if call('EXISTS', K_log(conv)) == 1 then return true end
    h[PA], h[YA], h[PB], h[YB] = 0, 0, 0, 0
    if more >= most or size > most_bytes then return true end
  end
  local pending = h[P] + more
  if sender == receiver or h[F] > 0 or h[R] > 0 or (pending > 0 and pending < stranger_most) then return false end
  return stranger_refuses(sender, receiver, pending)
end

-- Stored entries that were sent again, as far as they are still there.
local function again(conv, h, seqs, begin)
  local items = {}
  local log = K_log(conv)
  local len = call('LLEN', log)
  for _, q in ipairs(seqs) do
    local index = q < begin and upto(log, h, len, q) or 0
    local item = index > 0 and call('LINDEX', log, index - 1)
    if item and tonumber(match(item, '"seq":(%d+)')) == q then
      items[#items + 1] = item
      repeated[#repeated + 1] = item
    end
  end
  return items
end

local function hint_direct(a, b, items)
  local at_a, at_b = at[a], at[b]
  if at_a == self then at_a = false end
  if at_b == self or at_b == at_a then at_b = false end
  if not at_a and not at_b then return end
  local told = {}
  for node in string.gmatch((at_a or '') .. ' ' .. (at_b or ''), '%S+') do
    if node ~= self and not told[node] then
      told[node] = true
      for i = 1, #items do tell(node, items[i]) end
    end
  end
end

-- The box goes by messages; what has an op may be pending all the same.
local function stir(uid, conv)
  call('ZADD', K_stirred(uid), ts, conv)
  call('PEXPIRE', K_stirred(uid), life_of_head)
end

-- No message is left but entries with an op: in the list of conversations it stands where it began.
local function begin_again(conv, h, a, b)
  local began = format('%.0f', math.floor(h[O] / 1000))
  call('ZADD', K_box(a), began, conv)
  call('ZADD', K_box(b), began, conv)
  h[Z] = 0
end

-- How many of n more entries a direct log takes. Seqs are at least as far apart as entries are many, so most often the
-- head alone tells.
local function room_for(n, conv, h, a, b)
  if h[S] - math.max(h[TR], h[O] - 1) + n <= longest then return n end
  local gone, len = h[TR], call('LLEN', K_log(conv))
  if len + n > longest then trim(conv, h, len, keep, slack) end
  if h[TR] == gone then return longest - len end
  if h[L] <= h[TR] then begin_again(conv, h, a, b) end
  call('SET', K_head(conv), packed(h), 'KEEPTTL')
  return longest - call('LLEN', K_log(conv))
end

-- Stores n letters of a conversation, from ARGV[p] on. Either none or all of them have an op.
local function store(conv, kind, a, b, n, p, found_head, may_write)
  local h = head_of(found_head)
  local was, q = h[S], h[S] + 1
  if was == 0 or h[E] ~= epoch then q = math.max(us, epoch, q) end
  local begin = q
  local before, between = '{"type":"message","conv":"' .. conv .. '","seq":', ',"ts":' .. ts .. ','
  local items, count, at_reply = {}, 0, #reply
  local refs, ops, dups, reads = nil, nil, nil, nil
  -- What becomes pending: counted apart, for push may find that what was pending has expired.
  local more_a, bytes_a, more_b, bytes_b = 0, 0, 0, 0
  -- Of what has an op, amend has seen to it before it replaced items.
  local room = kind == 'd' and byte(ARGV[p]) < 50 and room_for(n, conv, h, a, b)
  for _ = 1, n do
    local mark, sender, id, tail = byte(ARGV[p]) - 48, ARGV[p + 1], ARGV[p + 2], ARGV[p + 3]
    local refusal = kind == 'r' and not may_write and is_member(a, sender)
    if refusal then
      at_reply = at_reply + 1
      reply[at_reply] = refusal
    else
      local greater, op = mark % 2 == 1, mark >= 2
      local seq = format('%.0f', q)
      local item = (was == 0 and q == begin and mark + 4 or mark) .. before .. seq .. between .. tail
      local counted = kind == 'd' and not op
      local full = counted and count >= room
      if counted and not full then
        if greater or a == b then
          full = is_full(conv, h, PA, YA, FA, RA, more_a, bytes_a + #item, sender, a)
        else
          full = is_full(conv, h, PB, YB, FB, RB, more_b, bytes_b + #item, sender, b)
        end
      end
      local known
      if id ~= '' then
        local key = K_dedup(conv, sender, id)
        if full then
          known = call('GET', key)
        else
          known = call('SET', key, seq .. ' ' .. ts, 'NX', 'GET', 'PX', ARGV[5])
          if not known then set[#set + 1] = key end
        end
      end
      if known then
        local first, stored = match(known, '^(%d+) (%d+)$')
        first = tonumber(first)
        dups = dups or {}
        dups[#dups + 1] = first
        reply[at_reply + 1] = first
        reply[at_reply + 2] = first == (was > 0 and h[O] or begin) and 3 or 1
        reply[at_reply + 3] = tonumber(stored)
        at_reply = at_reply + 3
      elseif full then
        at_reply = at_reply + 1
        reply[at_reply] = 'box_full'
      else
        local read
        if kind ~= 'd' then
          reads = reads or {}
          read = reads[sender] or tonumber(call('HGET', K_read(sender), conv) or 0)
          reads[sender] = q
        elseif greater then
          read, h[RB] = h[RB], q
        else
          read, h[RA] = h[RA], q
        end
        if counted then
          if greater or a == b then
            more_a, bytes_a = more_a + 1, bytes_a + #item
          else
            more_b, bytes_b = more_b + 1, bytes_b + #item
          end
        end
        if op then
          ops = ops or {}
          ops[#ops + 1] = seq
          ops[#ops + 1] = seq
        end
        count = count + 1
        items[count] = item
        if kind ~= 'd' then
          refs = refs or {}
          refs[count] = ARGV[p + 4]
        end
        reply[at_reply + 1] = q
        reply[at_reply + 2] = (was == 0 and q == begin and 2 or 0) + (read < h[S] and 4 or 0)
        at_reply = at_reply + 2
        if not op then h[L], h[M] = q, now end
        h[S] = q
        q = q + 1
      end
    end
    p = p + 5
  end

  local again_items = dups and again(conv, h, dups, begin)
  if count > 0 then
    if kind == 'd' then
      if ops then
        stir(a, conv)
        if a ~= b then stir(b, conv) end
      elseif now - h[Z] >= 1000 or now < h[Z] then
        call('ZADD', K_box(a), ts, conv)
        if a ~= b then call('ZADD', K_box(b), ts, conv) end
        h[Z] = now
      end
    end
    local len = push(conv, h, was, begin, items, now, epoch, life)
    h[PA], h[YA], h[PB], h[YB] = h[PA] + more_a, h[YA] + bytes_a, h[PB] + more_b, h[YB] + bytes_b
    call('SET', K_head(conv), packed(h), 'PX', life_of_head)
    if reads then
      for sender, seq in pairs(reads) do call('HSET', K_read(sender), conv, seq) end
    end
    if ops then
      redis.pcall('ZADD', K_ops(conv), unpack(ops))
      call('PEXPIRE', K_ops(conv), life_of_head)
    end
    if len - keep > slack then
      trim(conv, h, len, keep, slack)
      if kind == 'd' and h[L] <= h[TR] then begin_again(conv, h, a, b) end
      call('SET', K_head(conv), packed(h), 'PX', life_of_head)
    end
  end

  if kind == 'd' then
    if dups then hint_direct(a, b, again_items) end
    if count > 0 then hint_direct(a, b, items) end
  else
    local feed = {}
    for _, item in ipairs(again_items or {}) do feed[#feed + 1] = '0\t' .. item end
    for i = 1, count do feed[#feed + 1] = refs[i] .. '\t' .. items[i] end
    if #feed > 0 then call('PUBLISH', K_feed(conv), '1 ' .. self .. '\n' .. table.concat(feed, '\n')) end
  end
end

-- Stores the letters of the i-th conversation, whose kind is ARGV[p]; a broken key must not fail its neighbours, so
-- that is answered with internal. Returns whether it is well.
local function attempt(i, p, may_write)
  local n = tonumber(ARGV[p + 3])
  local answered = #reply
  if set[1] then set = {} end
  local stored, failure =
    pcall(store, ARGV[11 + i], ARGV[p], ARGV[p + 1], ARGV[p + 2], n, p + 4, found[i + 1], may_write)
  if stored then return true end
  redis.log(redis.LOG_WARNING, 'skein append: ' .. tostring(type(failure) == 'table' and failure.err or failure))
  for k = 1, #set do call('DEL', set[k]) end
  for k = #reply, answered + 1, -1 do reply[k] = nil end
  for _ = 1, n do reply[#reply + 1] = 'internal' end
  return false
end
