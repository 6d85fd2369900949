package manifest

func classify(b *block, m *masks) { classifyPortable(b, m) }
