# No line is added or taken away.
# What a header is for: the plain comment above #pragma once becomes the file's documentation.
1,/^#pragma once/ {
  s|^//$|///|
  s|^// |/// |
  s|^#pragma once|/// @file|
}
# What a function's comment says under a word of its own begins a paragraph.
s,^\( *///\) \(Definition\|Cost\|Determinism\|Memory\|Source\): ,\1 @aspect{\2} ,
