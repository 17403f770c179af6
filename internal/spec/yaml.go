package spec

import "patchbay/internal/yamltext"

type node = yamltext.Node

const (
	sequenceNode = yamltext.SequenceNode
	mappingNode  = yamltext.MappingNode
	scalarNode   = yamltext.ScalarNode

	tagText  = yamltext.TagText
	tagBool  = yamltext.TagBool
	tagInt   = yamltext.TagInt
	tagMerge = yamltext.TagMerge

	maxDepth = yamltext.MaxDepth
)

// follow returns the node that an alias stands for.
func follow(n *node) *node { return yamltext.Follow(n) }

func isNull(n *node) bool { return yamltext.IsNull(n) }
