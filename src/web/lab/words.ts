import { computed } from '@preact/signals';
import { language } from '../words/index.js';
import { type LabWords, labEn } from '../words/lab-en.js';
import { labZh } from '../words/lab-zh.js';

export const labWords = computed<LabWords>(() => (language.value === 'zh' ? labZh : labEn));
