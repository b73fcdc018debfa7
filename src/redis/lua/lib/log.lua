-- Puts items at the end of a log, with everything that belongs to it. h is the head before them but for h[S], which
-- is the last item's seq already; was is h[S] before, begin the first item's seq. Returns the log's length.
-- Nothing but RPUSH can fail here for a wrong type, and it comes first: an error leaves the log as it was.
local function push(conv, h, was, begin, items, now, epoch, life)
  local log = K_log(conv)
  local len = redis.call('RPUSH', log, unpack(items))
  if was == 0 then h[O] = begin end
  if was == 0 or h[E] ~= epoch then h[B], h[E] = begin, epoch end
  local expired = len == #items and was > 0
  if expired then
    h[TR], h[TW] = was, 1
    h[PA], h[YA], h[PB], h[YB] = 0, 0, 0, 0
  end
  -- The expiry is set only now and then; the margin keeps the idle time at least as long as it should be.
  if expired or h[X] == 0 or now - h[X] >= life / 24 then
    h[X] = now
    redis.call('PEXPIRE', log, math.floor(life + life / 24))
  end
  h[T] = now
  return len
end

-- Takes what is beyond keep (slack avoids doing so each time), counted before what is pending for a side of a dm.
local function trim(conv, h, len, keep, slack)
  if len - keep <= slack then return end
  local log = K_log(conv)
  local floor = math.huge
  if h[PA] > 0 then floor = h[FA] end
  if h[PB] > 0 and h[FB] < floor then floor = h[FB] end
  if floor <= h[TR] then return end
  local cut = len - keep
  if floor < h[S] then cut = upto(log, h, len, floor) - keep end
  if cut <= slack then return end
  h[TR], h[TW] = seq_at(log, cut - 1), 0
  redis.call('LTRIM', log, cut, -1)
  redis.call('ZREMRANGEBYSCORE', K_ops(conv), '-inf', h[TR])
  redis.call('ZREMRANGEBYSCORE', K_edits(conv), '-inf', h[TR])
end
