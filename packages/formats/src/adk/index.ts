export type { AdkActions, AdkContent, AdkEvent, AdkPart, AdkUsage } from './event.ts'
