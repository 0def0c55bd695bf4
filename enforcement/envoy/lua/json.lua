-- Strict JSON, read once. What this gateway reads and what a model behind it reads must be the same request,
-- so everything on which two readers could differ is refused: duplicate keys, escapes that are no characters,
-- bytes that are not UTF-8, NaN, trailing text. Values are kept only where asked for.

local byte, find, sub, char, lower, gsub = string.byte, string.find, string.sub, string.char, string.lower, string.gsub
local MAX_DEPTH, MAX_KEYS = 128, 10000
local NULL, ARRAY = {}, {}
local SIMPLE = { [34] = '"', [92] = "\\", [47] = "/", [98] = "\b", [102] = "\f", [110] = "\n", [114] = "\r", [116] = "\t" }

local function bad(why)
  error({ code = "invalid_json", message = "The request body is not acceptable JSON: " .. why .. "." }, 0)
end

local function utf8_encode(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

-- The text of a string with escapes; behind_escape has seen that every surrogate has its twin.
local function unescape(text)
  local parts, from = {}, 1
  while true do
    local at = find(text, "\\", from, true)
    if not at then break end
    parts[#parts + 1] = sub(text, from, at - 1)
    local kind = byte(text, at + 1)
    from = at + 2
    if kind ~= 117 then
      parts[#parts + 1] = SIMPLE[kind]
    else
      local code = tonumber(sub(text, at + 2, at + 5), 16)
      from = at + 6
      if code >= 0xD800 and code <= 0xDFFF then
        local low = tonumber(sub(text, from + 2, from + 5), 16)
        code = 0x10000 + (code - 0xD800) * 1024 + (low - 0xDC00)
        from = from + 6
      end
      parts[#parts + 1] = utf8_encode(code)
    end
  end
  parts[#parts + 1] = sub(text, from)
  return table.concat(parts)
end

local function space(s, i)
  local b = byte(s, i)
  while b == 32 or b == 10 or b == 13 or b == 9 do
    i = i + 1
    b = byte(s, i)
  end
  return i, b
end

-- Where the next backslash and the next control character of the text at hand stand: looked for when passed,
-- so that a text without them is gone through once, in loops that the JIT compiles (it does not for patterns).
local slash_at, control_at = 0, 0

local function control_from(s, i)
  for j = i, #s do
    if byte(s, j) < 32 then return j end
  end
  return math.huge
end

local HEX = {}
for digit in string.gmatch("0123456789abcdefABCDEF", ".") do HEX[byte(digit)] = true end

-- Gives the index behind the escape whose backslash is at i.
local function behind_escape(s, i)
  local kind = byte(s, i + 1)
  if SIMPLE[kind] then return i + 2 end
  local a, b, c, d = byte(s, i + 2, i + 5)
  if kind ~= 117 or not (HEX[a] and HEX[b] and HEX[c] and HEX[d]) then bad("a broken escape") end
  if a == 48 and b == 48 and c == 48 and d == 48 then bad("a null character in a string") end
  if a ~= 68 and a ~= 100 or b < 56 then return i + 6 end
  -- From \ud800 to \udfff they stand for a character in pairs only.
  if not find(s, "^[89abAB]%x%x\\u[dD][c-fC-F]%x%x", i + 3) then bad("half of a surrogate pair") end
  return i + 12
end

-- i is at the opening quote. Gives the index behind the string and, when kept, its text.
local function text_at(s, i, keep)
  local from, escaped = i + 1, false
  while true do
    local j = find(s, '"', from, true)
    if not j then bad("a string does not end") end
    if slash_at < from then slash_at = find(s, "\\", from, true) or math.huge end
    if control_at < from then control_at = control_from(s, from) end
    if control_at < j and control_at < slash_at then bad("a control character in a string") end
    if j < slash_at then
      if not keep then return j + 1 end
      local text = sub(s, i + 1, j - 1)
      return j + 1, escaped and unescape(text) or text
    end
    escaped, from = true, behind_escape(s, slash_at)
  end
end

local function is_digit(b)
  return b ~= nil and b >= 48 and b <= 57
end

-- Gives the index of the last digit in a row that starts at i.
local function digits(s, i, why)
  if not is_digit(byte(s, i)) then bad(why) end
  repeat i = i + 1 until not is_digit(byte(s, i))
  return i - 1
end

local function number_at(s, i, keep)
  local first = byte(s, i) == 45 and i + 1 or i
  local j = digits(s, first, "an unexpected character")
  if byte(s, first) == 48 and j > first then bad("a number with a leading zero") end
  local whole = j
  if byte(s, j + 1) == 46 then j = digits(s, j + 2, "a broken number") end
  local b = byte(s, j + 1)
  if b == 101 or b == 69 then
    b = byte(s, j + 2)
    j = digits(s, (b == 43 or b == 45) and j + 3 or j + 2, "a broken number")
  end
  if not keep and j == whole then return j + 1 end
  local value = tonumber(sub(s, i, j)) -- nothing for exponents beyond its own limit
  if not value or value == math.huge or value == -math.huge then bad("a number too large") end
  return j + 1, value
end

local WORDS = { [116] = { "true", true }, [102] = { "false", false }, [110] = { "null", NULL } }
local value_at

local function array_at(s, i, b, depth, keep)
  local array = keep and setmetatable({}, ARRAY) or nil
  i, b = space(s, i + 1)
  if b == 93 then return i + 1, array end
  while true do
    local value
    i, value = value_at(s, i, b, depth + 1, keep)
    if keep then array[#array + 1] = value end
    i, b = space(s, i)
    if b == 93 then return i + 1, array end
    if b ~= 44 then bad("a list that does not end") end
    i, b = space(s, i + 1)
  end
end

-- wanted: true keeps every member, a table keeps those it names, nothing keeps none. Duplicates are refused always.
local function object_at(s, i, b, depth, wanted, guard)
  local object, seen, count = wanted and {} or nil, {}, 0
  i, b = space(s, i + 1)
  if b == 125 then return i + 1, object end
  while true do
    if b ~= 34 then bad("a member without a name") end
    local key, value, keep
    i, key = text_at(s, i, true)
    if seen[key] then bad("a name that occurs twice") end
    seen[key], count = true, count + 1
    if count > MAX_KEYS then bad("too many members") end
    if guard then guard(key) end
    i, b = space(s, i)
    if b ~= 58 then bad("a member without a value") end
    i, b = space(s, i + 1)
    keep = wanted == true or (wanted and wanted[key])
    i, value = value_at(s, i, b, depth + 1, keep)
    if keep then object[key] = value end
    i, b = space(s, i)
    if b == 125 then return i + 1, object end
    if b ~= 44 then bad("an object that does not end") end
    i, b = space(s, i + 1)
  end
end

value_at = function(s, i, b, depth, keep)
  if depth > MAX_DEPTH then bad("too deeply nested") end
  if b == 34 then return text_at(s, i, keep) end
  if b == 123 then return object_at(s, i, b, depth, keep) end
  if b == 91 then return array_at(s, i, b, depth, keep) end
  local word = WORDS[b]
  if not word then return number_at(s, i, keep) end
  if sub(s, i, i + #word[1] - 1) ~= word[1] then bad("an unexpected word") end
  return i + #word[1], word[2]
end

local function tail(s, i)
  local b = byte(s, i)
  return b ~= nil and b >= 0x80 and b <= 0xBF
end

-- Gives the index behind the character that starts at i with byte b >= 0x80, or nothing.
local function character(s, i, b)
  local second = byte(s, i + 1) or 0
  if b >= 0xC2 and b <= 0xDF then return tail(s, i + 1) and i + 2 end
  if b >= 0xE0 and b <= 0xEF then
    if (b == 0xE0 and second < 0xA0) or (b == 0xED and second > 0x9F) then return nil end
    return tail(s, i + 1) and tail(s, i + 2) and i + 3
  end
  if b >= 0xF0 and b <= 0xF4 then
    if (b == 0xF0 and second < 0x90) or (b == 0xF4 and second > 0x8F) then return nil end
    return tail(s, i + 1) and tail(s, i + 2) and tail(s, i + 3) and i + 4
  end
end

local function first_high(s)
  for i = 1, #s do
    if byte(s, i) > 127 then return i end
  end
end

local function check_utf8(s)
  local i, n = first_high(s), #s
  if not i then return end
  while i and i <= n do
    local b = byte(s, i)
    if b < 0x80 then i = i + 1 else i = character(s, i, b) end
  end
  if not i then bad("not UTF-8") end
end

-- Reads one object and keeps the wanted members. guard sees every name at the top.
local function read_object(s, wanted, guard)
  check_utf8(s)
  slash_at, control_at = 0, 0
  local i, b = space(s, 1)
  if b ~= 123 then bad("not an object") end
  local object
  i, object = object_at(s, i, b, 1, wanted, guard)
  i, b = space(s, i)
  if b then bad("text behind the object") end
  return object
end

local function quote(text)
  if not find(text, '[%z\1-\31"\\\127]') then return '"' .. text .. '"' end
  return '"' .. gsub(text, '[%z\1-\31"\\\127]', function(c)
    return string.format("\\u%04x", byte(c))
  end) .. '"'
end
