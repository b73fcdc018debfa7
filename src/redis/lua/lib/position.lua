-- Where a seq stands in a log. Entries of the current run are contiguous and at the end of the list, so their place
-- is a subtraction; older runs are searched.
local function seq_at(log, index)
  return tonumber(string.match(redis.call('LINDEX', log, index), '"seq":(%d+)'))
end

-- How many of the log's len entries have a seq up to q.
local function upto(log, h, len, q)
  if q >= h[S] then return len end
  if q >= h[B] - 1 then return math.max(0, len - (h[S] - q)) end
  local low, high = 0, math.max(0, len - (h[S] - h[B] + 1))
  while low < high do
    local middle = math.floor((low + high) / 2)
    if seq_at(log, middle) <= q then low = middle + 1 else high = middle end
  end
  return low
end
