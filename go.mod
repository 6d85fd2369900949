module github.com/clusterfleet/clusterfleet

go 1.26.0
