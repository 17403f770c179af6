//go:build linux

package main

import "fmt"

// A metric is one figure of a row. Its value is its name in JSON.
type metric string

const (
	rate          metric = "requests_per_second"
	busy          metric = "core_busy_percent"
	cpuPerRequest metric = "cpu_ms_per_request"
	p50           metric = "p50_ms"
	p99           metric = "p99_ms"
	startCPU      metric = "start_cpu_ms"
	startWall     metric = "start_ms"
	idleMemory    metric = "idle_mb"
	peakMemory    metric = "peak_mb"
	manyMemory    metric = "many_connections_mb"
	binarySize    metric = "binary_mb"
)

// metrics are the columns of a table.
func metrics() []metric {
	return []metric{rate, busy, cpuPerRequest, p50, p99, startCPU, startWall, idleMemory, peakMemory, manyMemory, binarySize}
}

// title is the head of a column.
func (m metric) title() string {
	switch m {
	case rate:
		return "req/s"
	case busy:
		return "busy %"
	case cpuPerRequest:
		return "CPU ms"
	case p50:
		return "p50 ms"
	case p99:
		return "p99 ms"
	case startCPU:
		return "start CPU ms"
	case startWall:
		return "start ms"
	case idleMemory:
		return "idle MB"
	case peakMemory:
		return "peak MB"
	case manyMemory:
		return "many MB"
	case binarySize:
		return "binary MB"
	}
	panic("bench: no such metric: " + string(m))
}

// format prints a value with as many digits as it is good for.
func (m metric) format(value float64) string {
	switch m {
	case rate, busy:
		return fmt.Sprintf("%.0f", value)
	case cpuPerRequest:
		return fmt.Sprintf("%.4f", value)
	case p50, p99:
		return fmt.Sprintf("%.2f", value)
	case startCPU, startWall, idleMemory, peakMemory, manyMemory, binarySize:
		return fmt.Sprintf("%.1f", value)
	}
	panic("bench: no such metric: " + string(m))
}

// figures are what one round, or the median of all, has to say about a row. A
// metric that does not apply is not there.
type figures map[metric]float64
