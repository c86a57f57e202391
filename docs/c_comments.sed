# Plain C comments of graft.h become documentation. No line is added.
# The first one is the file's, its table of conventions a list.
1,/^ \*\// {
  s|^/\* |/** |
  s|^ \*   \([A-Z][a-z]*\)  *\(.*\)$| * - **\1** \2|
  s|^ \*/| * @file */|
}
# Headings of sections stay as they are.
/^\/\* ----/ b
# Behind a declaration, or before one.
s|^\( *[^ /].*[^ ]\)  *\(/\* .*\*/\)$|\1 \2|
t behind
s|^\( *\)/\* |\1/** |
b
: behind
s|/\* \(.*\*/\)$|/**< \1|
