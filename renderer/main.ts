/** Starts the pages. */
import { mount } from 'svelte';
import App from './App.svelte';
import './shared/fonts.css';
import './shared/themes.css';
import './shared/base.css';

mount(App, { target: document.body });
