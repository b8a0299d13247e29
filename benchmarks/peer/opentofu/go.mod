module peer/opentofu

go 1.25.5

require github.com/opentofu/opentofu v1.11.0

// A replacement in a dependency's go.mod has no effect, so OpenTofu's own one is repeated here.
replace github.com/hashicorp/hcl/v2 v2.20.1 => github.com/opentofu/hcl/v2 v2.20.2-0.20251021132045-587d123c2828
