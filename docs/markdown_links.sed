# Links out of docs/ lead to files that are not among the pages: their text stays.
s|\[\([^]]*\)\](\.\./[^)]*)|\1|g
