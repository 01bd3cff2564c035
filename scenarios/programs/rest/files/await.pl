my $set = '';
vec($set, 0, 1) = 1;
select($set, undef, undef, undef);
